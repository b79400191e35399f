import {createServer, type AddressInfo, type Server} from 'node:net'

/** COUNT different TCP ports that are free on 127.0.0.1 now, as the kernel gives them. All are held until the last is known. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = []
  const ports: number[] = []
  for (let i = 0; i < count; i++) {
    const server = createServer()
    await listen(server)
    servers.push(server)
    ports.push(portOf(server))
  }
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** Starts SERVER on a port of 127.0.0.1 that the kernel chooses. */
export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return portOf(server)
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port

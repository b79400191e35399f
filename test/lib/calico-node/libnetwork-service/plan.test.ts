import {describe, expect, test} from '@jest/globals'
import {chooseDriver, type DriverWish} from '../../../../src/lib/calico-node/libnetwork-service/choose.js'
import {driverVariables, planDriverContainer} from '../../../../src/lib/calico-node/libnetwork-service/plan.js'
import {containerDifferences, containerSpec} from '../../../../src/lib/calico-node/same-container.js'
import type {EtcdSettings} from '../../../../src/lib/settings/types.js'

const plain: EtcdSettings = {type: 'etcd', endpoints: {value: ['http://192.0.2.1:2379', 'http://192.0.2.3:2379'], origin: 'ETCD_ENDPOINTS'}}
const pem = (file: string) => ({value: {file, pem: '-----BEGIN X'}, origin: 'ETCD_CERT_FILE'})
const secure: EtcdSettings = {
  ...plain,
  ca: pem('/tls/ca.crt'), cert: pem('/tls/both.pem'), key: pem('/tls/both.pem'),
  username: {value: 'root', origin: 'ETCD_USERNAME'}, password: {value: 'to$p "secret', origin: 'ETCD_PASSWORD'},
}
const inputs = (more: Partial<DriverWish> = {}): DriverWish => ({
  node: 'rack1-host1', etcd: plain, expectCluster: undefined, env: {}, image: undefined, systemd: false, engine: true,
  program: {node: '/usr/bin/node', entry: '/usr/lib/node_modules/calicoctl/bin/run.js', version: '1.2.3'}, ...more,
})
const values = (variables: readonly {name: string; value: string}[]) => Object.fromEntries(variables.map(({name, value}) => [name, value]))

describe('variables', () => {
  test('of the usual node: v0.20\'s, and today\'s', () => {
    expect(values(driverVariables(inputs()))).toEqual({HOSTNAME: 'rack1-host1', NODENAME: 'rack1-host1', DATASTORE_TYPE: 'etcdv3', ETCD_ENDPOINTS: 'http://192.0.2.1:2379,http://192.0.2.3:2379'})
  })
  test('certificates: this host\'s files for a unit, what is mounted for a container', () => {
    expect(values(driverVariables(inputs({etcd: secure})))).toMatchObject({ETCD_CA_CERT_FILE: '/tls/ca.crt', ETCD_CERT_FILE: '/tls/both.pem', ETCD_KEY_FILE: '/tls/both.pem'})
    const {environment, mounts} = planDriverContainer({...inputs({etcd: secure}), image: 'i'})
    expect(values(environment)).toMatchObject({ETCD_CA_CERT_FILE: '/etc/calico/certs/ca_cert.crt', ETCD_KEY_FILE: '/etc/calico/certs/key.pem'})
    expect(mounts.filter(({readOnly}) => readOnly).map(({source}) => source)).toEqual(['/tls/ca.crt', '/tls/both.pem', '/tls/both.pem'])
  })
  test('the password is marked as a secret', () => {
    expect(driverVariables(inputs({etcd: secure}))).toContainEqual({name: 'ETCD_PASSWORD', value: 'to$p "secret', secret: true})
  })
  test('the cluster that is expected, the Engine and the driver\'s own settings are given on; nothing else is', () => {
    const env = {DOCKER_HOST: 'unix:///run/other.sock', CALICO_LIBNETWORK_LABEL_ENDPOINTS: 'true', CALICO_LIBNETWORK_VETH_MTU: '', CALICO_NODENAME: 'x', PATH: '/bin'}
    expect(Object.keys(values(driverVariables(inputs({env, expectCluster: 'abc'}))))).toEqual(['HOSTNAME', 'NODENAME', 'DATASTORE_TYPE', 'ETCD_ENDPOINTS', 'CALICO_EXPECT_CLUSTER', 'CALICO_LIBNETWORK_LABEL_ENDPOINTS', 'DOCKER_HOST'])
  })
  test('a line break in a value is refused, not written as another variable', () => {
    expect(() => driverVariables(inputs({env: {DOCKER_HOST: 'unix:///a\nETCD_ENDPOINTS=http://evil'}}))).toThrow(expect.objectContaining({kind: 'invalid', message: expect.stringContaining('DOCKER_HOST') as unknown}))
  })
})

describe('the container', () => {
  const plan = (env: Record<string, string> = {}) => planDriverContainer({...inputs({env}), image: 'i'})
  const binds = (env?: Record<string, string>) => containerSpec(plan(env)).binds
  test('has the plugin folder, Docker\'s socket and the notes', () => {
    expect(binds()).toEqual(['/run/docker/plugins:/run/docker/plugins', '/var/run/docker.sock:/var/run/docker.sock', '/var/lib/calico:/var/lib/calico'])
  })
  test('has another socket of Docker at the usual place', () => {
    expect(binds({DOCKER_HOST: 'unix:///run/other.sock'})).toContain('/run/other.sock:/var/run/docker.sock')
    expect(plan({DOCKER_HOST: 'unix:///run/other.sock'}).environment.map(({name}) => name)).not.toContain('DOCKER_HOST')
  })
  test('speaks TCP with an Engine that does', () => {
    const env = {DOCKER_HOST: 'tcp://127.0.0.1:2376', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/root/.docker'}
    expect(binds(env)).toEqual(['/run/docker/plugins:/run/docker/plugins', '/root/.docker:/root/.docker:ro', '/var/lib/calico:/var/lib/calico'])
    expect(values(plan(env).environment)).toMatchObject(env)
  })

  test('sees the processes of the host, of which it asks whether they still use an interface', () => expect(containerSpec(plan())).toMatchObject({pidMode: 'host'}))

  const spec = containerSpec(plan())
  const image = {id: 'sha256:1', environment: ['PATH=/bin', 'NODENAME=of the image'], command: ['/bin/x', 'serve']}
  const found = {imageId: 'sha256:1', environment: new Map([['PATH', '/bin'], ...spec.environment.map((line) => line.split('=') as [string, string])]),
    binds: [...spec.binds].reverse(),
    image: spec.image, command: ['/bin/x', 'serve'], privileged: true, networkMode: 'host', pidMode: 'host', restartPolicy: 'unless-stopped'}
  test('is the same one', () => expect(containerDifferences(found, spec, image)).toEqual([]))
  test.each<[string, Partial<typeof found>, string]>([
    ['another image of the same name', {imageId: 'sha256:2'}, `the tag ${spec.image} now refers to another image`],
    ['an image of another name', {imageId: 'sha256:2', image: 'old:1'}, `image: old:1 → ${spec.image}`],
    ['a variable more', {environment: new Map([...found.environment, ['CALICO_LIBNETWORK_VETH_MTU', '1400']])}, 'CALICO_LIBNETWORK_VETH_MTU: 1400 → none'],
    ['a variable more, which may be secret', {environment: new Map([...found.environment, ['X', 'hush']])}, 'X: removed'],
    ['a secret less', {environment: new Map([...found.environment].filter(([name]) => name !== 'PATH'))}, 'PATH: added'],
    ['another value', {environment: new Map([...found.environment, ['ETCD_ENDPOINTS', 'http://other:2379']])}, 'ETCD_ENDPOINTS: http://other:2379 → http://192.0.2.1:2379,http://192.0.2.3:2379'],
    ['another mount', {binds: [...spec.binds, '/tls:/tls:ro']}, 'mount /tls:/tls:ro: removed'],
    ['a mount less', {binds: spec.binds.slice(1)}, `mount ${spec.binds[0] ?? ''}: added`],
    ['another program', {command: ['/bin/x']}, "program: the image's own"],
    ['no privileges', {privileged: false}, 'privileged: false → true'],
    ['another network', {networkMode: 'bridge'}, 'network: bridge → host'],
    ['processes of its own', {pidMode: ''}, 'pid namespace: its own → host'],
    ['another restart policy', {restartPolicy: 'always'}, 'restart policy: always → unless-stopped'],
  ])('is not: %s', (_, more, difference) => expect(containerDifferences({...found, ...more}, spec, image)).toEqual([difference]))
})

describe('unit or container', () => {
  test('a unit where systemd runs', () => expect(chooseDriver(inputs({systemd: true}))).toMatchObject({form: 'unit', program: {version: '1.2.3'}}))
  test('a container where it does not, of the image of this version', () => expect(chooseDriver(inputs())).toMatchObject({form: 'container', container: {name: 'calico-libnetwork', image: 'calicoctl/libnetwork:1.2.3'}}))
  test('a container where an image is named', () => expect(chooseDriver(inputs({systemd: true, image: 'x:1'}))).toMatchObject({form: 'container', container: {image: 'x:1'}}))
  test('neither without systemd and Engine', () => expect(() => chooseDriver(inputs({engine: false}))).toThrow(expect.objectContaining({kind: 'invalid'})))
})

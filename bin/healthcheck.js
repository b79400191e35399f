#!/usr/bin/env node
'use strict'
/**
 * The health check of the driver's image (Dockerfile): asks both sockets, as the Docker Engine does when it finds a plugin. Exit code 0 if both
 * answer, 1 and why if not. With another --socket than the default: --health-cmd 'node /usr/lib/calicoctl/bin/healthcheck.js SOCKET'.
 */
const http = require('node:http')

const DEFAULT_SOCKET = '/run/docker/plugins/calico.sock'
const LIMIT_MS = 4_000

/** @param {string} socketPath @returns {Promise<string | undefined>} why it does not answer */
const problem = (socketPath) =>
  new Promise((resolve) => {
    const request = http.request({socketPath, path: '/Plugin.Activate', method: 'POST', timeout: LIMIT_MS, agent: false}, (response) => {
      response.resume()
      resolve(response.statusCode === 200 ? undefined : `status ${response.statusCode}`)
    })
    request.on('timeout', () => request.destroy(new Error(`no answer within ${LIMIT_MS / 1000} s`)))
    request.on('error', (error) => resolve(error.message))
    request.end()
  })

const socket = process.argv[2] ?? DEFAULT_SOCKET
void Promise.all(
  [socket, socket.replace(/\.sock$/, '-ipam.sock')].map(async (path) => {
    const why = await problem(path)
    if (why === undefined) return
    console.error(`${path}: ${why}`)
    process.exitCode = 1
  }),
)

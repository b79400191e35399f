/** In place of the package ssh2, which has native code: a Docker Engine is not reached over SSH from here (src/lib/docker/engine.ts says so first). */
exports.Client = class {
  constructor() {
    throw new Error('the Docker Engine cannot be reached over SSH')
  }
}

/** Modules that the build makes (../virtual-modules.mjs). */
declare module 'bundle:protocol' {
  export const protocol: import('../../../src/lib/datastore/etcd/unary/protobuf.js').Protocol
}

declare module 'bundle:manifest' {
  /** What oclif knows of each command, parsed anew by each call. */
  export const read: Readonly<Record<string, () => import('@oclif/core').Command.Cached>>
  export const pjson: import('@oclif/core').Interfaces.PJSON
}

declare module 'bundle:commands' {
  export const loaders: Readonly<Record<string, (() => Promise<{default: import('@oclif/core').Command.Class}>) | undefined>>
}

declare module 'chunk:debug' {
  const debug: unknown
  export = debug
}

declare module 'bundle:shared' {
  /** Path of a module → a function that gives its exports. */
  export const shared: Readonly<Record<string, () => unknown>>
}

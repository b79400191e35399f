/** Modules that the build makes (../virtual-modules.mjs). */
declare module 'bundle:protocol' {
  export const protocol: import('./messages.js').Protocol
}

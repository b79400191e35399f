'use strict'
/**
 * Takes the place of the package `debug`, which costs 5 ms at every start (terminal, util, colours): loads it only when somebody has set DEBUG.
 */
function silent() {
  const log = () => undefined
  return Object.assign(log, {enabled: false, namespace: '', extend: silent, destroy: () => false})
}

const off = Object.assign(silent, {enabled: () => false, enable: () => undefined, disable: () => '', formatters: {}, names: [], skips: []})

module.exports = process.env.DEBUG ? require('chunk:debug') : Object.assign(off, {debug: off, default: off})

import {GLOBALS} from './scripts/jest-transform.mjs'

/** @type {import('jest').Config} */
export default {
  testEnvironment: '<rootDir>/scripts/jest-environment.mjs',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {'^(\\.{1,2}/.*)\\.js$': '$1'},
  transform: {
    '^.+\\.ts$': ['<rootDir>/scripts/jest-transform.mjs', {jsc: {parser: {syntax: 'typescript'}, target: 'es2022'}, module: {type: 'es6'}}],
  },
  sandboxInjectedGlobals: GLOBALS,
  testSequencer: '<rootDir>/scripts/slowest-first.mjs',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  setupFiles: ['<rootDir>/test/support/setup.ts'],
  modulePathIgnorePatterns: ['<rootDir>/out/', '<rootDir>/.cache/'],
  // Says only that a test hangs: a busy machine takes its time.
  testTimeout: 240_000,
}

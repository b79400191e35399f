import {describe, test} from '@jest/globals'

/** Tests that need what WHY_NOT says is missing: they say so, and fail where everything has to be there (CI=true). */
export function suite(name: string, whyNot: string | undefined, define: () => void): void {
  if (whyNot === undefined) describe(name, define)
  else if (process.env.CI === 'true') test(name, () => Promise.reject(new Error(`cannot run here: ${whyNot}`)))
  else test.skip(`${name}: cannot run here: ${whyNot}`, () => undefined)
}

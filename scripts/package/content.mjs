/** What of the source a package says in the forms of others: the manual, completion, the unit. */
import {readPackage} from '../bundle/manifest.mjs'
import {loadSource} from '../bundle/source.mjs'
import {describeProgram} from '../man/describe.mjs'
import {manualFiles} from '../man/manual.mjs'

/** @param {string} root @returns {Promise<import('./tree.mjs').Content>} */
export async function packageContent(root) {
  const {completionScript, driverUnit} = await loadSource(root, ['lib/cli/completion/scripts.ts', 'lib/calico-node/libnetwork-service/unit.ts'])
  const {version, license = ''} = readPackage(root)
  return {root, pjson: {version, license}, manual: manualFiles(root, await describeProgram(root)), completion: completionScript, unit: driverUnit}
}

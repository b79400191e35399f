/** What Felix refuses is reported whatever the store has in the place of what belongs there: integers of 64 bits have no JSON of JavaScript's. */
import {expect, test} from '@jest/globals'
import {hostEndpointRefusals, workloadEndpointRefusals} from '../../../src/lib/model/felix-endpoints.js'

const LARGE = 14294966666667296n

test('integers beyond a double, in lists too, where a string belongs', () => {
  const messages = workloadEndpointRefusals({interfaceName: 'cali1', ipNetworks: [LARGE, [LARGE]], ports: [{name: 'web', protocol: LARGE, port: 80}]}).map(({field, message}) => `${field} ${message}`)
  expect(messages).toEqual([
    `spec.ipNetworks[0] must be an address, not ${LARGE}`,
    `spec.ipNetworks[1] must be an address, not [${LARGE}]`,
    `spec.ports[0].protocol must be TCP, UDP or SCTP by name, not ${LARGE}`,
  ])
  expect(hostEndpointRefusals({interfaceName: '*', profiles: [[LARGE, '']]})).toEqual([{field: 'spec.profiles[0]', message: `must be the name of a profile, not [${LARGE},""]`}])
})

import {expect, test} from '@jest/globals'
import {changedConfig, type IpamConfig} from '../../../src/lib/ipam/config.js'

const FLAGS = [undefined, false, true]
const LIMITS = [undefined, 0, 5]
const combined = FLAGS.flatMap((strict) => FLAGS.flatMap((allocate) => LIMITS.map((limit) => ({strict, allocate, limit}))))

test('whatever is stored and asked for: what is not asked for stays, what says nothing new is the same object, and Calico\'s refusals are ours', () => {
  for (const stored of combined) {
    const config = {
      ...(stored.strict === undefined ? {} : {strict_affinity: stored.strict}),
      ...(stored.allocate === undefined ? {} : {auto_allocate_blocks: stored.allocate}),
      ...(stored.limit === undefined ? {} : {maxBlocksPerHost: stored.limit}),
      newer: 1,
    } satisfies IpamConfig
    for (const asked of combined) {
      const change = (): IpamConfig => changedConfig(config, {strictAffinity: asked.strict, autoAllocateBlocks: asked.allocate, maxBlocksPerHost: asked.limit})
      const is = [stored.strict ?? false, stored.allocate ?? false, stored.limit ?? 0]
      const wanted = [asked.strict ?? is[0], asked.allocate ?? is[1], asked.limit ?? is[2]]
      const [strict, allocate, limit] = wanted
      const isNew = wanted.some((value, i) => value !== is[i])
      if (!isNew) expect(change()).toBe(config)
      else if ((!strict && !allocate) || (!strict && limit === 5)) expect(change).toThrow(expect.objectContaining({kind: 'invalid'}))
      // As Calico writes it: what is off is left out.
      else expect(change()).toEqual({...(strict ? {strict_affinity: true} : {}), ...(allocate ? {auto_allocate_blocks: true} : {}), ...(limit === 5 ? {maxBlocksPerHost: 5} : {}), newer: 1})
    }
  }
})

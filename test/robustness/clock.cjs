// Sets the clock of the process that it is loaded into: by CLOCK_SHIFT_MS, and by as much again after a while.
const shift = Number(process.env.CLOCK_SHIFT_MS ?? 0)
const {now} = Date
const began = now()
const shifted = () => now() + (now() - began > 150 ? 2 * shift : shift)
globalThis.Date = new Proxy(Date, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [shifted()] : args, newTarget),
  get: (target, name, receiver) => (name === 'now' ? shifted : Reflect.get(target, name, receiver)),
})

/** Whether VALUE, as JSON has it, is an object: neither null nor an array. */
export const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

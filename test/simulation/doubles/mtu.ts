/** src/lib/host/mtu.ts on the simulated hosts. */
export const workloadMtu = (): number => 1_440

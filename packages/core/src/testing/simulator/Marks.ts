import type { Moment } from "./Checker.ts"
export const make = () => ({ note: (_: Moment) => {}, reached: () => new Set<string>() as ReadonlySet<string> })

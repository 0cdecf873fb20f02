/**
 * The comparators of Linear's filters, on single values. Null rules: a value that is null matches `null: true` and `nin`, and
 * nothing else, not even `neq`. A comparator that is not here is refused, never ignored.
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import { isUuid } from "./Board.ts"
import { invalidArgument, Unimplemented } from "./Refusal.ts"

type Operators<A> = Readonly<Record<string, (value: A, operand: never) => boolean>>
type Nullable<A> = A | null

const plain = (text: string): string => text.normalize("NFD").replaceAll(/\p{Mn}/gu, "")
const fold = (text: string): string => text.toLowerCase()

const strings: Operators<string> = {
  eq: (value, operand: string) => value === operand,
  neq: (value, operand: string) => value !== operand,
  in: (value, operand: ReadonlyArray<string>) => operand.includes(value),
  nin: (value, operand: ReadonlyArray<string>) => !operand.includes(value),
  eqIgnoreCase: (value, operand: string) => fold(value) === fold(operand),
  neqIgnoreCase: (value, operand: string) => fold(value) !== fold(operand),
  contains: (value, operand: string) => value.includes(operand),
  notContains: (value, operand: string) => !value.includes(operand),
  containsIgnoreCase: (value, operand: string) => fold(value).includes(fold(operand)),
  notContainsIgnoreCase: (value, operand: string) => !fold(value).includes(fold(operand)),
  containsIgnoreCaseAndAccent: (value, operand: string) => plain(fold(value)).includes(plain(fold(operand))),
  startsWith: (value, operand: string) => value.startsWith(operand),
  notStartsWith: (value, operand: string) => !value.startsWith(operand),
  startsWithIgnoreCase: (value, operand: string) => fold(value).startsWith(fold(operand)),
  endsWith: (value, operand: string) => value.endsWith(operand),
  notEndsWith: (value, operand: string) => !value.endsWith(operand)
}

const numbers: Operators<number> = {
  eq: (value, operand: number) => value === operand,
  neq: (value, operand: number) => value !== operand,
  in: (value, operand: ReadonlyArray<number>) => operand.includes(value),
  nin: (value, operand: ReadonlyArray<number>) => !operand.includes(value),
  gt: (value, operand: number) => value > operand,
  gte: (value, operand: number) => value >= operand,
  lt: (value, operand: number) => value < operand,
  lte: (value, operand: number) => value <= operand
}

const booleans: Operators<boolean> = {
  eq: (value, operand: boolean) => value === operand,
  neq: (value, operand: boolean) => value !== operand
}

export const matchesString = (value: Nullable<string>, comparator: object): boolean =>
  matches("StringComparator", strings, value, comparator)

export const matchesNumber = (value: Nullable<number>, comparator: object): boolean =>
  matches("NumberComparator", numbers, value, comparator)

export const matchesBoolean = (value: Nullable<boolean>, comparator: object): boolean =>
  matches("BooleanComparator", booleans, value, comparator)

/** Dates in any shape of ISO 8601 that Linear takes, or durations from now. */
export const matchesDate = (value: Nullable<number>, comparator: object, now: number): boolean => {
  const instants = Object.entries(comparator).map(([key, operand]: [string, unknown]) => [
    key,
    key === "null" || operand === undefined
      ? operand
      : Array.isArray(operand)
        ? operand.map((one) => instant(one, now))
        : instant(operand, now)
  ])
  return matches("DateComparator", numbers, value, Object.fromEntries(instants))
}

/** Ids; one that can be none fails the whole query. `alsoIdentifiers` for those of issues and projects. */
export const matchesId = (
  value: Nullable<string>,
  comparator: object,
  names: { readonly alsoIdentifiers?: RegExp; readonly aliases?: ReadonlyArray<string> } = {}
): boolean => {
  for (const operand of Object.values(comparator).flat()) {
    if (typeof operand === "string" && !isUuid(operand) && names.alsoIdentifiers?.test(operand) !== true) {
      throw invalidArgument(`"${operand}" is not a valid id`)
    }
  }
  const own = new Set([value, ...(names.aliases ?? [])].flatMap((one) => (one === null ? [] : [fold(one)])))
  const ids: Operators<string> = {
    eq: (_, operand: string) => own.has(fold(operand)),
    neq: (_, operand: string) => !own.has(fold(operand)),
    in: (_, operand: ReadonlyArray<string>) => operand.some((one) => own.has(fold(one))),
    nin: (_, operand: ReadonlyArray<string>) => !operand.some((one) => own.has(fold(one)))
  }
  return matches("IDComparator", ids, value, comparator)
}

function matches<A>(kind: string, operators: Operators<A>, value: Nullable<A>, comparator: object): boolean {
  const judged = Object.entries(comparator).map(([key, operand]: [string, unknown]) => {
    if (operand === undefined) return true
    if (key === "null") return (value === null) === operand
    const operator = operators[key]
    if (operator === undefined || operand === null)
      throw new Unimplemented(`${kind}.${key}: ${JSON.stringify(operand)}`)
    if (value === null) return key === "nin"
    // The schema has checked the operand against the comparator's type.
    return operator(value, operand as never)
  })
  return judged.every(Boolean)
}

/** Milliseconds since 1970. */
function instant(operand: unknown, now: number): number {
  if (typeof operand === "string") {
    const duration = /^(-?)P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(
      operand
    )
    if (duration !== null && operand.length > 2) {
      const sign = duration[1] === "-" ? -1 : 1
      const part = (at: number) => sign * Number(duration[at] ?? 0)
      const moved = DateTime.add(DateTime.makeUnsafe(now), {
        years: part(2),
        months: part(3),
        weeks: part(4),
        days: part(5),
        hours: part(6),
        minutes: part(7),
        seconds: part(8)
      })
      return DateTime.toEpochMillis(moved)
    }
    const date = /^\d{4}(?:-\d\d(?:-\d\d(?:T.*)?)?)?$/.test(operand) ? DateTime.make(operand) : Option.none()
    if (Option.isSome(date)) return DateTime.toEpochMillis(date.value)
  }
  throw invalidArgument(`${JSON.stringify(operand)} is neither a date nor a duration`)
}

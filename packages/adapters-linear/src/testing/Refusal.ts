/**
 * The two ways in which the fake says no: as Linear would, and because it does not know what Linear would do.
 */

/** Lower-case phrases of `extensions.type`, as the SDK classifies them. */
export type RefusalType =
  | "invalid input"
  | "authentication error"
  | "forbidden"
  | "graphql error"
  | "ratelimited"
  | "internal error"
  | "lock timeout"

export interface RefusalOptions {
  readonly message: string
  readonly code: string
  readonly type: RefusalType
  /** Of the HTTP answer; 200 unless told, as for every error of a single field. */
  readonly status?: number
  readonly userPresentableMessage?: string
}

/** An answer with `errors`, in the shape and with the status that Linear uses. */
export class Refusal extends Error {
  override readonly name = "Refusal"
  readonly code: string
  readonly type: RefusalType
  readonly status: number
  readonly userPresentableMessage: string

  constructor(options: RefusalOptions) {
    super(options.message)
    this.code = options.code
    this.type = options.type
    this.status = options.status ?? 200
    this.userPresentableMessage = options.userPresentableMessage ?? options.message
  }

  /** `extensions` of the error. */
  get extensions() {
    const statusCode = this.status === 200 ? 400 : this.status
    return {
      type: this.type,
      code: this.code,
      statusCode,
      userError: statusCode < 500,
      userPresentableMessage: this.userPresentableMessage
    }
  }
}

/** What a test asked of the fake that the fake does not know; a test that sees it tests nothing. */
export class Unimplemented extends Error {
  override readonly name = "Unimplemented"
  readonly subject: string

  constructor(subject: string) {
    super(`The fake Linear does not implement ${subject}: implement it there, or do without it`)
    this.subject = subject
  }
}

export const notFound = (entity: string): Refusal =>
  new Refusal({
    message: `Entity not found: ${entity}`,
    code: "INPUT_ERROR",
    type: "invalid input",
    userPresentableMessage: `Could not find referenced ${entity}.`
  })

export const invalidArgument = (reason: string): Refusal =>
  new Refusal({
    message: "Argument Validation Error",
    code: "INVALID_INPUT",
    type: "invalid input",
    userPresentableMessage: reason
  })

export const invalidInput = (message: string): Refusal =>
  new Refusal({ message, code: "INPUT_ERROR", type: "invalid input" })

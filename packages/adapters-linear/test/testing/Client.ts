import { LinearError, LinearGraphQLClient } from "@linear/sdk"
import { FakeLinear } from "../../src/testing/index.ts"

interface Sent<Data> {
  readonly data: Data
  readonly headers: Headers
  readonly status: number
}

/** What the SDK's own client gets; `Data` is what the document asks for. */
export async function send<Data>(
  linear: FakeLinear.FakeLinear,
  query: string,
  variables: Record<string, unknown> = {},
  authorization: string = linear.apiKey
): Promise<Sent<Data>> {
  const client = new LinearGraphQLClient(linear.url, {
    headers: { authorization },
    redirect: "error",
    signal: AbortSignal.timeout(20_000)
  })
  const { data, headers, status } = await client.rawRequest<Data, Record<string, unknown>>(query, variables)
  return { data: data as Data, headers: headers as Headers, status: status ?? 0 }
}

interface Failure {
  readonly type: string | undefined
  readonly status: number | undefined
  readonly message: string
  /** `extensions.code` of the first error. */
  readonly code: string | undefined
  readonly data: unknown
  readonly headers: Headers | undefined
  readonly error: unknown
}

/** What the SDK's own client says about a request that must fail. */
export async function failure(...request: Parameters<typeof send>): Promise<Failure> {
  const error: unknown = await send(...request).then(
    () => new Error("the request did not fail"),
    (reason: unknown) => reason
  )
  if (!(error instanceof LinearError)) {
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    const nothing = { type: undefined, status: undefined, code: undefined, data: undefined, headers: undefined }
    return { ...nothing, message, error }
  }
  const raw = error.raw as unknown as {
    readonly response?: {
      readonly headers?: Headers
      readonly errors?: ReadonlyArray<{ readonly extensions?: { readonly code?: string } }>
    }
  }
  return {
    type: error.type,
    status: error.status,
    message: [error.message, ...(error.errors ?? []).map(({ message }) => message)].join(" | "),
    code: raw?.response?.errors?.[0]?.extensions?.code,
    data: error.data,
    headers: raw?.response?.headers,
    error
  }
}

/** Plays on a fake of its own, which must not have been asked for what it does not implement. */
export async function on(
  play: (linear: FakeLinear.FakeLinear) => Promise<void>,
  options: FakeLinear.Options = {}
): Promise<void> {
  const linear = await FakeLinear.start(options)
  try {
    await play(linear)
    const asked = linear.unimplemented()
    if (asked.length > 0) throw new Error(`asked for what the fake does not implement: ${asked.join(", ")}`)
  } finally {
    await linear.close()
  }
}

interface Nodes {
  readonly issues: { readonly nodes: ReadonlyArray<{ readonly identifier: string }> }
}

/** The identifiers of the issues that a filter lets through, as the API orders them. */
export async function identifiers(
  linear: FakeLinear.FakeLinear,
  filter: object,
  args: Record<string, unknown> = {}
): Promise<ReadonlyArray<string>> {
  const query = `query Identifiers($filter: IssueFilter, $includeArchived: Boolean, $orderBy: PaginationOrderBy) {
    issues(filter: $filter, includeArchived: $includeArchived, orderBy: $orderBy) { nodes { identifier } }
  }`
  const { data } = await send<Nodes>(linear, query, { filter, ...args })
  return data.issues.nodes.map(({ identifier }) => identifier)
}

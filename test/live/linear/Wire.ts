// One request to Linear as it goes over the wire: status, headers and body, whatever they are.

export interface WireAnswer {
  readonly status: number
  readonly headers: Headers
  readonly data: Record<string, unknown> | null
  /** Code and message of each error. */
  readonly errors: ReadonlyArray<string>
}

export interface Wire {
  readonly ask: (document: string, variables?: Readonly<Record<string, unknown>>) => Promise<WireAnswer>
  readonly endpoint: string
  readonly key: string
  readonly count: () => number
}

const timeoutMs = 30_000

interface Body {
  readonly data?: Record<string, unknown> | null
  readonly errors?: ReadonlyArray<{ readonly message?: string; readonly extensions?: { readonly code?: string } }>
}

export const make = (endpoint: string, key: string): Wire => {
  let count = 0
  return {
    endpoint,
    key,
    count: () => count,
    ask: async (query, variables = {}) => {
      count++
      const response = await fetch(endpoint, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: key },
        body: JSON.stringify({ query, variables }),
        redirect: "error",
        signal: AbortSignal.timeout(timeoutMs)
      })
      const text = await response.text()
      const body: Body = text.startsWith("{") ? JSON.parse(text) : { errors: [{ message: text.slice(0, 80) }] }
      return {
        status: response.status,
        headers: response.headers,
        data: body.data ?? null,
        errors: (body.errors ?? []).map(({ extensions, message }) => `${extensions?.code ?? "?"}: ${message ?? ""}`)
      }
    }
  }
}

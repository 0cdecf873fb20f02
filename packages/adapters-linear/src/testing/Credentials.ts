/** Who a request is from. Keys are sent bare, tokens of OAuth applications with `Bearer`. */
import { bearerHint, unauthorized } from "./FaultAnswers.ts"

export interface Credentials {
  /** By key; the id of the user whom it belongs to. */
  readonly apiKeys: Map<string, string>
  readonly accessTokens: Map<string, string>
}

/** The id of the user; throws what Linear answers to a credential that it does not accept. */
export function viewerOf(authorization: string | undefined, { accessTokens, apiKeys }: Credentials): string {
  const sent = authorization ?? ""
  const token = /^Bearer\s+(.*)$/i.exec(sent)?.[1]
  const viewer = token === undefined ? apiKeys.get(sent) : accessTokens.get(token)
  if (viewer !== undefined) return viewer
  throw token?.startsWith("lin_api_") === true ? bearerHint() : unauthorized()
}

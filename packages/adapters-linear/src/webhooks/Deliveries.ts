/** Which webhook deliveries count: from Linear, fresh, and not seen before. */
import { LinearWebhookClient } from "@linear/sdk/webhooks"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as RecentTexts from "../RecentTexts.ts"

/** How many ids of deliveries are remembered; Linear repeats one at most three times. */
const rememberedDeliveries = 1000

export type Verdict = "accepted" | "repeated"

export interface Deliveries {
  /** Judges a delivery by its raw body; a failure says what is wrong with it. */
  readonly judge: (
    body: Uint8Array,
    headers: { readonly signature: string | undefined; readonly deliveryId: string | undefined }
  ) => Result.Result<Verdict, string>
}

/** Accepts what is signed with the secret; the signed time may be a minute off this machine's clock. */
export const make = (secret: Redacted.Redacted): Deliveries => {
  const client = new LinearWebhookClient(Redacted.value(secret))
  const seen = RecentTexts.make(rememberedDeliveries)
  return {
    judge: (body, { deliveryId, signature }) =>
      Result.try({
        try: (): Verdict => {
          client.parseData(Buffer.from(body), signature ?? "")
          return deliveryId === undefined || seen.add(deliveryId) ? "accepted" : "repeated"
        },
        // What the SDK throws names the fault; a parser's message could quote the body.
        catch: (error) =>
          error instanceof Error && error.message.includes("timestamp")
            ? "it was signed more than a minute ago, or this machine's clock is wrong"
            : "its signature does not fit the secret"
      })
  }
}

/** From what went wrong with Linear to what that means for the core. */
import * as Tracker from "@opensymphony/core/ports/TrackerBackend"
import type { LinearError } from "../LinearError.ts"

/** The same message; the class says whether waiting helps. */
export const trackerError = (error: LinearError | Tracker.TrackerConfigurationError): Tracker.TrackerError => {
  const { message } = error
  switch (error._tag) {
    case "TrackerConfigurationError":
      return error
    case "LinearRateLimited":
      return new Tracker.TrackerRateLimited({ message, retryAtMs: error.retryAtMs })
    case "LinearAuthError":
      return new Tracker.TrackerAuthError({ message })
    case "LinearForbidden":
      return new Tracker.TrackerPermissionDenied({ message })
    case "LinearNotFound":
      return new Tracker.TrackerNotFound({ message })
    case "LinearTransportError":
      return new Tracker.TrackerTransportError({ message })
    case "LinearTimeout":
      return new Tracker.TrackerTimeout({ message })
    case "LinearSchemaDrift":
    case "LinearTooComplex":
      return new Tracker.TrackerConfigurationError({ message })
    case "LinearInvalidArgument":
    case "LinearRefused":
    case "LinearBadResponse":
    case "LinearPartialData":
      return new Tracker.TrackerInvalidResponse({ message })
  }
}

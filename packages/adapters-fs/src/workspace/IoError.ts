/** Turns what the platform says about files into errors that name the path and what to do. */
import * as Effect from "effect/Effect"
import type { PlatformError } from "effect/PlatformError"
import * as Predicate from "effect/Predicate"
import { WorkspaceIoError } from "@opensymphony/core/ports/WorkspaceBackend"

const phrases: { readonly [code: string]: string } = {
  EACCES: "permission denied; give the user that runs opensymphony access to it",
  EPERM: "operation not permitted; check who owns it and its attributes",
  EROFS: "the filesystem is read-only",
  ENOSPC: "no space left on the device",
  EDQUOT: "the disk quota is used up",
  ENOENT: "it does not exist",
  ENOTDIR: "a part of the path is a file, not a directory",
  EISDIR: "it is a directory",
  EEXIST: "something has that name already",
  EBUSY: "it is in use",
  ENOTEMPTY: "something keeps writing into it",
  ELOOP: "it is, or leads through, a symbolic link",
  ENAMETOOLONG: "the path is too long"
}

/** The system's code for an error, such as `ENOENT`, or the platform's word where there is none. */
export const errorCode = (error: PlatformError): string => {
  const { cause } = error.reason
  return Predicate.hasProperty(cause, "code") && typeof cause.code === "string" ? cause.code : error.reason._tag
}

/** `permission denied; ... (EACCES)`. */
export const explain = (error: PlatformError): string => {
  const code = errorCode(error)
  const phrase = phrases[code]
  return phrase === undefined ? code : `${phrase} (${code})`
}

/** Names what was tried, as in `cannot create the workspace /x/y: ...`. */
export const ioError = (doing: string, path: string) => (error: PlatformError) =>
  new WorkspaceIoError({ path, message: `cannot ${doing} ${path}: ${explain(error)}` })

/** {@link ioError} for a whole effect. */
export const orIoError =
  (doing: string, path: string) =>
  <A, R>(effect: Effect.Effect<A, PlatformError, R>): Effect.Effect<A, WorkspaceIoError, R> =>
    Effect.mapError(effect, ioError(doing, path))

/** Whether an error says that nothing is there. */
export const isNotFound = (error: PlatformError): boolean => error.reason._tag === "NotFound"

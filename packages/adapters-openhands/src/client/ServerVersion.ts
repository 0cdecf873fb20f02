/** Which agent-servers this adapter understands, by the version that `/server_info` names. */

export interface ServerVersion {
  readonly major: number
  readonly minor: number
  readonly patch: number
}

/** The oldest version that the contract tests were run against; before it, errors have no classification. */
export const oldest: ServerVersion = { major: 1, minor: 40, patch: 0 }

/** The newest version that the contract tests were run against. */
export const newestTested: ServerVersion = { major: 1, minor: 57, patch: 0 }

/** Null for a text that is no version. */
export const parse = (text: string): ServerVersion | null => {
  const match = /^v?(\d+)\.(\d+)(?:\.(\d+))?/.exec(text.trim())
  if (match === null) return null
  return { major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3] ?? 0) }
}

export const format = ({ major, minor, patch }: ServerVersion): string => `${major}.${minor}.${patch}`

const isBefore = (self: ServerVersion, that: ServerVersion): boolean =>
  self.major !== that.major
    ? self.major < that.major
    : self.minor !== that.minor
      ? self.minor < that.minor
      : self.patch < that.patch

export type Judgement =
  | { readonly _tag: "Supported" }
  /** A later minor version: it is used, and said so. */
  | { readonly _tag: "Untested"; readonly message: string }
  | { readonly _tag: "Unsupported"; readonly message: string }

/** Whether a server that names this version can be used. */
export const judge = (text: string): Judgement => {
  const version = parse(text)
  const range = `${format(oldest)} to ${newestTested.major}.${newestTested.minor}`
  if (version === null) {
    return {
      _tag: "Unsupported",
      message: `the agent-server names no version that can be read ("${text.slice(0, 40)}"); versions ${range} are supported`
    }
  }
  if (isBefore(version, oldest) || version.major > newestTested.major) {
    return {
      _tag: "Unsupported",
      message:
        `the agent-server is version ${format(version)}, and versions ${range} are supported; ` +
        "install one of them with `opensymphony install openhands`, or point openhands.transport.base_url at one"
    }
  }
  if (version.minor > newestTested.minor) {
    return {
      _tag: "Untested",
      message: `the agent-server is version ${format(version)}, later than the ${range} that this adapter was tested with`
    }
  }
  return { _tag: "Supported" }
}

/** `openhands.transport`: where the server is, and which key it asks for. */
import { entryOf, type ConfigNode } from "../ConfigNode.ts"
import type { TransportSettings } from "../OpenHandsSettings.ts"
import * as Section from "../Section.ts"
import * as ValueReader from "../ValueReader.ts"
import type { ReadContext } from "../ValueReader.ts"
import * as OptionReader from "./OptionReader.ts"

/** The parts of a base URL that decide something. */
export interface BaseUrl {
  readonly scheme: "http" | "https"
  /** As in the URL: IPv6 in brackets. */
  readonly host: string
  readonly port: number | null
  /** Without a trailing slash. */
  readonly path: string
  /** Whether the host is this machine and nothing else. */
  readonly isLoopback: boolean
}

export interface ReadTransport {
  /** Null: not given, or bad. */
  readonly baseUrl: BaseUrl | null
  readonly sessionKeyEnv: string | null
  /** Whether a key is asked for, also when its name is bad. */
  readonly hasKey: boolean
}

const loopbackHost = "127.0.0.1"
/** Where a server listens that was started without arguments. */
const usualPort = 8000

const shape = /^(https?):\/\/([^/?#]*)([^?#]*)([?#].*)?$/i
const hostAndPort = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d*))?$/i
const ipv4Loopback = /^127(?:\.\d{1,3}){3}$/

const isLoopbackHost = (host: string): boolean => host === "localhost" || host === "[::1]" || ipv4Loopback.test(host)

/** The parts of a base URL, or what is wrong with it; never repeats it, because it may carry a credential. */
const parse = (text: string): BaseUrl | string => {
  const match = shape.exec(text)
  if (match === null) return "is no http or https address; write it in full, such as https://agents.example.org"
  const [, scheme = "", authority = "", path = "", rest] = match
  if (authority.includes("@")) return "carries a user or password; remove it and name the key in session_api_key_env"
  if (rest !== undefined) return "has a query or fragment; remove what follows ? or #"
  const place = hostAndPort.exec(authority)
  if (place === null) return "names no host, or one that cannot be; write it as http://host:port"
  const [, host = "", digits] = place
  const port = digits === undefined || digits === "" ? null : Number(digits)
  if (port !== null && (port < 1 || port > 65_535)) return "has a port that cannot be; write one from 1 to 65535"
  const lower = host.toLowerCase()
  return {
    scheme: scheme.toLowerCase() === "https" ? "https" : "http",
    host: lower,
    port,
    path: path.replace(/\/+$/, ""),
    isLoopback: isLoopbackHost(lower)
  }
}

const baseUrl: ValueReader.ValueReader<BaseUrl> = OptionReader.referable((node: ConfigNode, key, context) => {
  const text = ValueReader.text(node, key, context)?.trim()
  if (text === undefined) return undefined
  const parsed = parse(text)
  if (typeof parsed !== "string") return parsed
  context.problems.error(node.position, key, parsed)
  return undefined
})

const fields = {
  base_url: Section.optional(baseUrl),
  session_api_key_env: Section.withDefault(OptionReader.secretName, null)
}

/** What leaves this machine must be encrypted, and a server that others can reach must ask for a key. */
const checkRemote = (section: Section.Section, transport: ReadTransport, context: ReadContext): void => {
  const { baseUrl: url, hasKey } = transport
  if (url === null || url.isLoopback) return
  const entry = entryOf(section.map, "base_url")
  const position = entry?.value.position ?? section.position
  if (url.scheme === "http") {
    const message =
      "must be https for a server on another machine: the key and the prompts would be readable on the way; " +
      "write https://, or forward the port to this machine and write http://127.0.0.1:PORT"
    context.problems.error(position, Section.keyOf(section, "base_url"), message)
  }
  if (!hasKey) {
    const message =
      "is missing, and a server on another machine needs one; write the name of the variable with its session key"
    context.problems.error(position, Section.keyOf(section, "session_api_key_env"), message)
  }
}

export const read = (openhands: Section.Section, context: ReadContext): ReadTransport => {
  const section = Section.sectionOf(openhands, "transport", context)
  const values = Section.readSection(section, fields, context)
  const sessionKeyEnv = values.session_api_key_env
  const entry = entryOf(section.map, "session_api_key_env")
  const isBlank = entry?.value._tag === "Scalar" && String(entry.value.value).trim() === ""
  const transport = { baseUrl: values.base_url, sessionKeyEnv, hasKey: entry !== null && !isBlank }
  checkRemote(section, transport, context)
  return transport
}

/** With a server of our own only the place counts, and a port is chosen when none is named. */
export const completed = ({ baseUrl: url, sessionKeyEnv }: ReadTransport, managed: boolean): TransportSettings => {
  if (url === null) {
    const port = managed ? null : usualPort
    return { baseUrl: originOf("http", loopbackHost, port), port, sessionKeyEnv }
  }
  const origin = originOf(url.scheme, url.host, url.port)
  return { baseUrl: managed ? origin : origin + url.path, port: url.port, sessionKeyEnv }
}

const originOf = (scheme: string, host: string, port: number | null): string =>
  `${scheme}://${host}${port === null ? "" : `:${port}`}`

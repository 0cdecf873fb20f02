/**
 * The schema of Linear's API as the installed SDK knows it, rebuilt from the SDK's declarations. Nothing of it is kept in
 * this project: another version of the SDK is another schema.
 *
 * Rebuilding takes about a second; the text is cached beside the packages, else in the system's temporary directory.
 * A cache that cannot be read or written is done without.
 */
import { buildSchema, type GraphQLSchema } from "graphql"
import * as Crypto from "node:crypto"
import * as Fs from "node:fs"
import { createRequire } from "node:module"
import * as Os from "node:os"
import * as Path from "node:path"
import { sdlFromDeclarations } from "./SdlFromDeclarations.ts"

const sdkPackage = "@linear/sdk/package.json"
const ownPackage = "@opensymphony/adapters-linear/package.json"

/** Raise it with every change to what is made of declarations. */
const cacheVersion = 1

let built: GraphQLSchema | undefined

/** The executable schema; built once per process. Throws when the SDK is not installed or has no declarations of a schema. */
export function schema(): GraphQLSchema {
  built ??= buildSchema(sdl(), { assumeValidSDL: true })
  return built
}

/** The schema in GraphQL's own language, from the cache when it is there. */
export function sdl(options: { readonly cacheDirectories?: ReadonlyArray<string> } = {}): string {
  const manifest = manifestOfSdk()
  const declarations = declarationsBeside(manifest)
  const stat = Fs.statSync(declarations)
  const version: unknown = JSON.parse(Fs.readFileSync(manifest, "utf8")).version
  const name = `linear-schema-${cacheVersion}-${String(version)}-${stat.size}-${Math.trunc(stat.mtimeMs)}.graphql`
  const files = (options.cacheDirectories ?? cacheDirectories(manifest)).map((directory) => Path.join(directory, name))
  for (const file of files) {
    const text = textOf(file)
    if (text !== undefined) return text
  }
  const text = sdlFromDeclarations(Fs.readFileSync(declarations, "utf8"))
  files.some((file) => written(file, text))
  return text
}

/** Of the SDK that this package depends on; where this module is bundled into a program, by way of the package. */
function manifestOfSdk(): string {
  const here = createRequire(import.meta.url)
  try {
    return here.resolve(sdkPackage)
  } catch (error) {
    try {
      return createRequire(here.resolve(ownPackage)).resolve(sdkPackage)
    } catch {
      throw new Error("the fake Linear makes its schema from @linear/sdk, which is not installed", { cause: error })
    }
  }
}

/** The declaration file that has the schema's types: the one that declares scalars. */
function declarationsBeside(manifest: string): string {
  const directory = Path.join(Path.dirname(manifest), "dist")
  const found = Fs.readdirSync(directory)
    .filter((name) => name.endsWith(".d.mts"))
    .map((name) => Path.join(directory, name))
    .find((file) => /^(?:export )?type Scalars = \{$/m.test(Fs.readFileSync(file, "utf8")))
  if (found === undefined) {
    throw new Error(
      `${directory} has no declarations of Linear's schema; the fake Linear needs a complete installation of @linear/sdk`
    )
  }
  return found
}

const cacheDirectories = (manifest: string): ReadonlyArray<string> => [
  // node_modules/@linear/sdk/package.json
  Path.join(Path.resolve(manifest, "../../.."), ".cache", "opensymphony"),
  Path.join(Os.tmpdir(), `opensymphony-${Os.userInfo().uid}`)
]

function textOf(file: string): string | undefined {
  try {
    const text = Fs.readFileSync(file, "utf8")
    return text.startsWith("scalar ") ? text : undefined
  } catch {
    return undefined
  }
}

/** Written aside and renamed, so that whoever reads finds all of it or nothing. */
function written(file: string, text: string): boolean {
  const aside = `${file}.${Crypto.randomUUID()}`
  try {
    Fs.mkdirSync(Path.dirname(file), { recursive: true, mode: 0o700 })
    Fs.writeFileSync(aside, text, { mode: 0o600, flag: "wx" })
    Fs.renameSync(aside, file)
    return true
  } catch {
    removed(aside)
    return false
  }
}

function removed(file: string): void {
  try {
    Fs.rmSync(file, { force: true })
  } catch {
    // Where nothing can be written there is nothing to take away.
  }
}

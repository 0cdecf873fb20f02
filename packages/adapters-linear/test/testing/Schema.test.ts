import { LinearDocument } from "@linear/sdk"
import { assert, describe, it } from "@effect/vitest"
import { buildSchema, parse, validate } from "graphql"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { schema, sdl } from "../../src/testing/SchemaFromSdk.ts"
import { sdlFromDeclarations } from "../../src/testing/SdlFromDeclarations.ts"

/** All the SDK sends: its documents, each with the fragments it needs. */
const sdkDocuments = Object.entries(LinearDocument).filter(([name]) => name.endsWith("Document"))

describe("the schema from the SDK", () => {
  it("takes every document that the SDK sends", () => {
    assert.isAbove(sdkDocuments.length, 600)
    const invalid = sdkDocuments.flatMap(([name, document]) =>
      validate(schema(), parse(String(document))).map(({ message }) => `${name}: ${message}`)
    )
    assert.deepStrictEqual(invalid, [])
  })

  it.each([
    ["a field that there is not", "query { issues { nodes { links } } }", /Cannot query field "links"/],
    [
      "a filter that there is not",
      'query { issues(filter: { identifier: { eq: "A-1" } }) { nodes { id } } }',
      /identifier/
    ],
    ["an id that is declared as ID", "query ($id: ID!) { issue(id: $id) { id } }", /"ID!" used in position.*"String!"/],
    [
      "an id in a comparator that is declared as String",
      "query ($id: String!) { workflowStates(filter: { team: { id: { eq: $id } } }) { nodes { id } } }",
      /"String!" used in position.*"ID"/
    ],
    ["a value that the enumeration does not have", "query { issues(orderBy: priority) { nodes { id } } }", /priority/]
  ])("refuses %s", (_, document, message) => {
    const errors = validate(schema(), parse(document))
    assert.match(errors.map((error) => error.message).join("\n"), message)
  })

  it("is built again where the cache is not readable, and read back where it is", () => {
    const directory = Fs.mkdtempSync(Path.join(Os.tmpdir(), "schema-"))
    try {
      const cacheDirectories = [Path.join(directory, "file-in-the-way", "cache"), Path.join(directory, "cache")]
      Fs.writeFileSync(Path.join(directory, "file-in-the-way"), "")
      const fresh = sdl({ cacheDirectories })
      const [cached = ""] = Fs.readdirSync(Path.join(directory, "cache"))
      assert.strictEqual(Fs.readFileSync(Path.join(directory, "cache", cached), "utf8"), fresh)
      Fs.appendFileSync(Path.join(directory, "cache", cached), "\nscalar FromTheCache")
      assert.match(sdl({ cacheDirectories }), /FromTheCache/)
      assert.strictEqual(sdl({ cacheDirectories: [] }), fresh)
    } finally {
      Fs.rmSync(directory, { recursive: true })
    }
  })
})

describe("declarations as GraphQL", () => {
  const declarations = `
    type Scalars = { ID: string; String: string; Int: number; DateTime: Date };
    declare enum Color { Dark = "dark", Light = "light" }
    type Node = { id: Scalars["ID"] };
    type Query = { __typename?: "Query"; boxes: Array<Box>; anything?: Maybe<Thing> };
    type Box = Node & {
      __typename?: "Box"; color?: Maybe<Color>; id: Scalars["ID"]; inside: Array<Maybe<Thing>>; madeAt: Scalars["DateTime"];
    };
    type Ball = { __typename?: "Ball"; name: Scalars["String"] };
    type Thing = Ball | Box;
    type BoxInsideArgs = { first?: InputMaybe<Scalars["Int"]>; filter: BoxFilter; limit?: Scalars["Int"] };
    type BoxFilter = { and?: InputMaybe<Array<BoxFilter>>; color?: InputMaybe<Color> };
    type BoxFragment = { __typename: "Box" } & Pick<Box, "id">;
  `

  it("keep types, arguments, nullability, enumerations, unions and interfaces", () => {
    const text = sdlFromDeclarations(declarations)
    assert.doesNotThrow(() => buildSchema(text))
    assert.deepStrictEqual(
      text
        .replaceAll(/\s+/g, " ")
        .trim()
        .split(/ (?=(?:enum|interface|type|union|input) )/),
      [
        "scalar DateTime",
        "enum Color { dark light }",
        "interface Node { id: ID! }",
        "type Query { boxes: [Box!]! anything: Thing }",
        "type Box implements Node { color: Color id: ID! inside(first: Int, filter: BoxFilter!, limit: Int): [Thing]! madeAt: DateTime! }",
        "type Ball { name: String! }",
        "union Thing = Ball | Box",
        "input BoxFilter { and: [BoxFilter!] color: Color }"
      ]
    )
  })

  it("of something else are refused", () => {
    assert.throws(() => sdlFromDeclarations("type A = { b: string }"), /no type named Query/)
  })
})

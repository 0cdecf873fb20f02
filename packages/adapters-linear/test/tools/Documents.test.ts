import { assert, describe, it } from "@effect/vitest"
import { parse, validate } from "graphql"
import { schema } from "../../src/testing/SchemaFromSdk.ts"
import * as Reading from "../../src/tools/operations/Reading.ts"
import * as Writing from "../../src/tools/operations/Writing.ts"

const named = [...Reading.documents, ...Writing.documents].map(
  (document) => [/(?:query|mutation) (\w+)/.exec(document)?.[1] ?? "?", document] as const
)

describe("the documents of the tools", () => {
  it.each(named)("%s fits Linear's schema", (_name, document) => {
    const problems = validate(schema(), parse(document)).map(({ message }) => message)
    assert.deepStrictEqual(problems, [])
  })
})

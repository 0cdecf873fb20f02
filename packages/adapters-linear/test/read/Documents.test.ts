import { assert, describe, it } from "@effect/vitest"
import { Kind, parse, validate } from "graphql"
import * as Documents from "../../src/read/Documents.ts"
import { complexity, limit } from "../../src/testing/Complexity.ts"
import { linearSchema } from "../../src/testing/index.ts"

/** The largest pages that are asked for. */
const largest = new Map<string, Readonly<Record<string, unknown>>>([
  [Documents.issuesDocument, { first: Documents.pageSize }],
  [Documents.issuesByIdsDocument, { first: Documents.pageSize }],
  [Documents.issueListsDocument, { first: Documents.listBatchSize, size: Documents.listPageSize }]
])

describe("the queries of the tracker", () => {
  it.each(Documents.documents.map((document) => [/query (\w+)/.exec(document)?.[1], document]))(
    "%s is valid on Linear's schema, and below its limit by either model",
    (_name, document) => {
      if (document === undefined) throw new Error("no document")
      const parsed = parse(document)
      assert.deepStrictEqual(validate(linearSchema(), parsed), [])
      const operation = parsed.definitions.find((one) => one.kind === Kind.OPERATION_DEFINITION)
      if (operation === undefined) throw new Error("no operation")
      const { documented, observed } = complexity(linearSchema(), parsed, operation, largest.get(document) ?? {})
      assert.isBelow(documented, limit)
      assert.isBelow(observed, limit)
    }
  )
})

import { assert, describe, it } from "@effect/vitest"
import * as ProjectReference from "../../src/read/ProjectReference.ts"

const tail = "0c79b11b75ea"
const full = `symphony-${tail}`
const uuid = "3F2504E0-4F89-41D3-9A0C-0305E82C3301"

describe("what people write for a project", () => {
  it.each([
    [`https://linear.app/acme/project/${full}`, full, [tail, full]],
    [`https://linear.app/acme/project/${full}/overview?x=1#y`, full, [tail, full]],
    [`  ${full}  `, full, [tail, full]],
    [tail, tail, [tail]],
    ["symphony", "symphony", ["symphony"]]
  ])("%s", (text, key, slugs) => {
    assert.deepStrictEqual(ProjectReference.parse(text), { text: text.trim(), key, filter: { slugId: { in: slugs } } })
  })

  it("may be a UUID", () => {
    assert.deepInclude(ProjectReference.parse(uuid), { filter: { id: { eq: uuid.toLowerCase() } } })
  })

  it.each(["https://linear.app/acme/issue/ENG-1", "https://linear.app/acme/project", "https://", " "])(
    "is not: %j",
    (text) => {
      assert.strictEqual(ProjectReference.parse(text), null)
    }
  )
})

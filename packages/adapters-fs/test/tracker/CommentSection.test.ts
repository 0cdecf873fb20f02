import { assert, describe, it } from "@effect/vitest"
import * as CommentSection from "../../src/tracker/CommentSection.ts"

const comment = (text: string) => ({ author: "ann", time: "2026-01-01T00:00:00.000Z", text })
const heading = "### ann, 2026-01-01T00:00:00.000Z"
const front = "---\ntitle: T\nstate: Todo\n---\n"

const append = (body: string, text: string) =>
  CommentSection.append(front + body, front.length, comment(text)).slice(front.length)

describe("CommentSection.append", () => {
  it("makes the section at the end of the file", () => {
    assert.strictEqual(append("\nText.\n", "hello"), `\nText.\n\n## Comments\n\n${heading}\n\nhello\n`)
  })

  it("makes the section in a file without a body or a last line end", () => {
    assert.strictEqual(append("Text.", "hello"), `Text.\n\n## Comments\n\n${heading}\n\nhello\n`)
    assert.strictEqual(append("", "hello"), `\n## Comments\n\n${heading}\n\nhello\n`)
  })

  it("appends to the section that is there", () => {
    const body = append("Text.\n", "one")
    assert.strictEqual(append(body, "two"), `${body}\n${heading}\n\ntwo\n`)
  })

  it("stays inside the section when another follows", () => {
    const body = "## Comments\n\nold\n\n## Notes\n\nn\n"
    assert.strictEqual(append(body, "new"), `## Comments\n\nold\n\n${heading}\n\nnew\n\n## Notes\n\nn\n`)
  })

  it("does not take code for the section", () => {
    const body = "```\n## Comments\n```\n"
    assert.strictEqual(append(body, "x"), `${body}\n## Comments\n\n${heading}\n\nx\n`)
  })

  it("finds its own section again behind a fence that is never closed", () => {
    const body = append("```\ncode\n", "one")
    assert.strictEqual(append(body, "two").split("## Comments").length, 2)
  })

  it("lowers headings of a comment, so that none ends the section, but none in code", () => {
    const body = append("", "# A\n\n```\n# code\n```\n## B")
    assert.include(body, "#### A\n\n```\n# code\n```\n##### B\n")
    assert.isTrue(append(body, "two").endsWith(`\n${heading}\n\ntwo\n`))
  })

  it("uses the line ends of the file", () => {
    const file = front.replaceAll("\n", "\r\n")
    const after = CommentSection.append(`${file}Text.\r\n`, file.length, comment("a\nb\r\nc"))
    assert.strictEqual(after, `${file}Text.\r\n\r\n## Comments\r\n\r\n${heading}\r\n\r\na\r\nb\r\nc\r\n`)
  })
})

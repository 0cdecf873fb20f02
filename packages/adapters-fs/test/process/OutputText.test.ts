import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as LineSplitter from "../../src/process/LineSplitter.ts"
import * as OutputTail from "../../src/process/OutputTail.ts"

const split = (maxLength: number, pieces: ReadonlyArray<string>): ReadonlyArray<string> => {
  const splitter = LineSplitter.make(maxLength)
  return [...pieces.flatMap((piece) => splitter.push(piece)), ...splitter.end()]
}

describe("the line splitter", () => {
  it.each<[ReadonlyArray<string>, ReadonlyArray<string>]>([
    [["a\nb\n"], ["a", "b"]],
    [["a\r\nb\r\n"], ["a", "b"]],
    [
      ["a", "b\nc"],
      ["ab", "c"]
    ],
    [
      ["a\r", "\nb"],
      ["a", "b"]
    ],
    [["\n\n"], ["", ""]],
    [["a\rb\n"], ["a\rb"]],
    [[""], []],
    [["abcd\r\n"], ["abcd"]],
    [
      ["abcdef", "ghi\nnext\n"],
      ["abcd", "next"]
    ],
    [["abc💥\n"], ["abc"]],
    [["ab💥\n"], ["ab💥"]]
  ])("of four characters makes of %j the lines %j", (pieces, lines) => {
    assert.deepStrictEqual(split(4, pieces), lines)
  })

  it.prop(
    "gives the same lines however the text is cut",
    [Schema.Array(Schema.Literals(["a", "bc", "\n", "\r\n", "💥", "long text"]))],
    ([pieces]) => assert.deepStrictEqual(split(5, pieces), split(5, [...pieces.join("")]))
  )
})

describe("the output tail", () => {
  it("keeps a text that is short enough", () => {
    const tail = OutputTail.make(4)
    tail.append("ab")
    tail.append("cd")
    assert.strictEqual(tail.read(), "abcd")
  })

  it.each([
    ["abcde", "bcde"],
    ["💥abc", "abc"],
    ["a💥bc", "💥bc"]
  ])("keeps of %j, in four characters, %j", (text, expected) => {
    const [whole, pieces] = [OutputTail.make(4), OutputTail.make(4)]
    whole.append(text)
    for (const character of text) pieces.append(character)
    assert.deepStrictEqual([whole.read(), pieces.read()], [expected, expected])
  })
})

import { assert, describe, it } from "@effect/vitest"
import { redactor } from "../src/Secrets.ts"

const secret = "tok-3f9a6c1d7e"
const redact = redactor({ DEPLOY_TOKEN: secret })

describe("a secret in a text", () => {
  const cases: ReadonlyArray<readonly [string, string]> = [
    [`with ${secret} in it`, "with *** in it"],
    [`${secret}${secret}`, "******"],
    ["cut in its middle: tok-3f9a", "cut in its middle: ***"],
    ["cut in its middle: tok-3f9a…", "cut in its middle: ***…"],
    ["9a6c1d7e is its end", "*** is its end"],
    ["status 1: a6c1d7e and on; tok-3f9a\nnext", "status 1: *** and on; ***\nnext"],
    [
      "tok-3f9a is not at an end, and so no part of a cut secret",
      "tok-3f9a is not at an end, and so no part of a cut secret"
    ],
    ["a token of its own: tok-3", "a token of its own: tok-3"],
    ["", ""]
  ]
  for (const [text, shown] of cases)
    it(`${JSON.stringify(text)} is ${JSON.stringify(shown)}`, () => assert.strictEqual(redact(text), shown))
})

describe("the value of a variable", () => {
  const cases: ReadonlyArray<readonly [name: string, value: string, isSecret: boolean]> = [
    ["OPENAI_API_KEY", "sk-0123456789", true],
    ["GITHUB_PAT", "0123456789ab", true],
    ["DB_PASS", "longer than 8", true],
    ["HTTP_AUTHORIZATION", "Basic YWxhZGRpbg==", true],
    ["AWS_SECRET_ACCESS_KEY", "/begins/With+a/slash", true],
    ["DATABASE_URL", "postgres://me:pw@host/db", true],
    ["MONKEY", "business as usual", true],
    ["PASSWORD", "short", false],
    ["SSH_AUTH_SOCK", "/run/user/1000/agent.sock", false],
    ["GOOGLE_APPLICATION_CREDENTIALS", "/home/me/key.json", false],
    ["GIT_AUTHOR_NAME", "Somebody Known", false],
    ["BASE_URL", "https://example.org/path", false],
    ["HOME", "/home/somebody", false],
    ["LANG", "en_GB.UTF-8", false]
  ]
  for (const [name, value, isSecret] of cases) {
    it(`${name} ${isSecret ? "is hidden" : "is shown"}`, () => {
      assert.strictEqual(redactor({ [name]: value })(`<${value}>`), isSecret ? "<***>" : `<${value}>`)
    })
  }

  it("is hidden whatever its name when the workflow hands it on, unless it is a plain word or a path", () => {
    const environment = { PLANTS: "rose-bud-42", NODE_ENV: "production", PLACE: "/srv/plants" }
    const redactNamed = redactor(environment, Object.keys(environment))
    assert.strictEqual(redactNamed("rose-bud-42 production /srv/plants"), "*** production /srv/plants")
  })

  it("is hidden line by line when it has several", () => {
    const key = "-----BEGIN KEY-----\nMIIEowIBAAKCAQEA7\n"
    assert.strictEqual(redactor({ SIGNING_KEY: key })("read MIIEowIBAAKCAQEA7"), "read ***")
  })
})

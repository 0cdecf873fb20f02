// `npm run test:live:linear`: what the real Linear answers to what we ask, with a key from LINEAR_API_KEY. It only reads, a dozen
// requests. LINEAR_PROJECT names a project (address, slug, slug id or UUID); else the first that the key sees is taken.
// Exit status: 0 all as expected or no key, 1 something is not.
import * as Questions from "./Questions.ts"
import * as Wire from "./Wire.ts"

const environment = process.env
const key = environment["LINEAR_API_KEY"]?.trim() ?? ""

if (key === "") {
  process.stdout.write(
    "SKIPPED: LINEAR_API_KEY is not set; with a key, this asks the real Linear and changes nothing\n"
  )
  process.exit(0)
}

const wire = Wire.make(environment["LINEAR_API_URL"]?.trim() || "https://api.linear.app/graphql", key)
const answers = await Questions.ask(wire, environment["LINEAR_PROJECT"]?.trim() || null)
for (const { facts, question, verdict } of answers) {
  process.stdout.write(`${verdict.padEnd(4)}  ${question}\n`)
  for (const fact of facts) process.stdout.write(`      ${fact}\n`)
}
const bad = answers.filter(({ verdict }) => verdict === "FAIL").length
process.stdout.write(`${answers.length} questions, ${bad} answered unexpectedly, ${wire.count()} requests\n`)
process.exit(bad === 0 ? 0 : 1)

/** `opensymphony simulate`: the arguments; what it does is loaded only when it is called. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { ExitStatus } from "../ExitStatus.ts"

export const SimulateCommand = Command.make(
  "simulate",
  {
    seed: Flag.Int("seed").pipe(Flag.optional, Flag.withDescription("The first world; a random one when not given")),
    seeds: Flag.Int("seeds").pipe(
      Flag.withDefault(1),
      Flag.withDescription(
        "How many worlds, one after the other; from 2000 pure ones on, unless they are calm, every coverage mark has to be reached"
      )
    ),
    trace: Flag.String("trace").pipe(
      Flag.optional,
      Flag.withDescription("File for the full trace of the first world, a line per step")
    ),
    world: Flag.Literals("world", ["pure", "live"]).pipe(
      Flag.withDefault("pure" as const),
      Flag.withDescription("pure: the decision core alone; live: the whole orchestrator on doubles")
    ),
    profile: Flag.Literals("profile", ["calm", "normal", "awful"]).pipe(
      Flag.withDefault("normal" as const),
      Flag.withDescription("How much goes wrong in these worlds")
    )
  },
  Effect.fnUntraced(function* ({ profile, seed, seeds, trace, world }) {
    const { simulate } = yield* Effect.promise(() => import("../run/SimulateProgram.ts"))
    const options = { seed: Option.getOrNull(seed), seeds, trace: Option.getOrNull(trace), world, profile }
    const status = yield* simulate(options)
    if (status !== 0) return yield* new ExitStatus({ status })
  })
).pipe(Command.withDescription("Drive the decision core through random worlds and check that no rule is broken"))

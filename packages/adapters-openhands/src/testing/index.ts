/** A fake agent-server and a scripted model, for tests and demonstrations. */
export * as FakeAgentServer from "./FakeAgentServer.ts"
export * as Faults from "./server/Faults.ts"
export * as ModelScript from "./model/ModelScript.ts"
export * as Pace from "./server/Pace.ts"
export * as ScriptedModel from "./model/ScriptedModel.ts"
export * as TurnScript from "./server/TurnScript.ts"

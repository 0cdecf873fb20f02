export * as CommandRuntime from "./CommandRuntime.ts"

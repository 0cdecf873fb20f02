/**
 * Executes one request on the board: parsing, validation, cost, resolvers, and errors in Linear's shapes. It knows no HTTP
 * but the status that Linear gives each kind of answer.
 */
import {
  type DocumentNode,
  execute,
  getNamedType,
  getOperationAST,
  GraphQLError,
  type GraphQLResolveInfo,
  Kind,
  parse,
  validate
} from "graphql"
import { type Complexity, complexity } from "./Complexity.ts"
import type { JsonObject } from "./Json.ts"
import { Refusal, Unimplemented } from "./Refusal.ts"
import { entityResolvers } from "./resolvers/EntityResolvers.ts"
import { mutationResolvers } from "./resolvers/MutationResolvers.ts"
import { queryResolvers } from "./resolvers/QueryResolvers.ts"
import type { RequestContext, Resolver, Resolvers } from "./resolvers/Resolver.ts"
import { schema } from "./SchemaFromSdk.ts"
import * as DateTime from "effect/DateTime"

export interface GraphQLRequest {
  readonly query: string
  readonly variables: Readonly<Record<string, unknown>>
  readonly operationName: string | null
}

/** A request that may be executed. */
export interface Operation {
  readonly document: DocumentNode
  readonly name: string | null
  readonly type: "query" | "mutation" | "subscription"
  /** The fields at its top, but for those in fragments. */
  readonly fields: ReadonlyArray<string>
  readonly complexity: Complexity
}

export interface Answer {
  readonly status: number
  readonly body: JsonObject
}

const resolvers: Resolvers = { ...entityResolvers, ...queryResolvers, ...mutationResolvers }

/** Documents are few and sent often; what is kept of them is bounded. */
const prepared = new Map<string, { readonly document: DocumentNode; readonly errors: ReadonlyArray<GraphQLError> }>()
const preparedLimit = 500

/** Parses and validates; a refusal has the status 400. */
export function prepare(request: GraphQLRequest): Operation | Answer {
  const { document, errors } = documentOf(request.query)
  if (errors.length > 0) return refusedDocument(errors)
  const operation = getOperationAST(document, request.operationName)
  if (operation == null) return refusedDocument([new GraphQLError("The request names no operation of its document")])
  if (operation.operation === "subscription") {
    return refusedDocument([new GraphQLError("Subscriptions are not served over HTTP")])
  }
  return {
    document,
    name: operation.name?.value ?? null,
    type: operation.operation,
    fields: operation.selectionSet.selections.flatMap((it) => (it.kind === Kind.FIELD ? [it.name.value] : [])),
    complexity: complexity(schema(), document, operation, request.variables)
  }
}

function documentOf(query: string) {
  const known = prepared.get(query)
  if (known !== undefined) return known
  const fresh = parsed(query)
  if (prepared.size >= preparedLimit) prepared.clear()
  prepared.set(query, fresh)
  return fresh
}

function parsed(query: string): { readonly document: DocumentNode; readonly errors: ReadonlyArray<GraphQLError> } {
  try {
    const document = parse(query)
    return { document, errors: validate(schema(), document) }
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error
    return { document: { kind: "Document", definitions: [] } as unknown as DocumentNode, errors: [error] }
  }
}

const refusedDocument = (errors: ReadonlyArray<GraphQLError>): Answer => ({
  status: 400,
  body: {
    errors: errors.map((error) =>
      rendered(
        error,
        new Refusal({ message: error.message, code: "GRAPHQL_VALIDATION_FAILED", type: "graphql error", status: 400 })
      )
    )
  }
})

/** Runs a prepared operation. What the fake does not implement is reported to `onUnimplemented` and answered with 500. */
export async function run(
  operation: Operation,
  request: GraphQLRequest,
  context: Omit<RequestContext, "field">,
  onUnimplemented: (subject: string) => void
): Promise<Answer> {
  const result = await execute({
    schema: schema(),
    document: operation.document,
    contextValue: context,
    variableValues: request.variables,
    operationName: request.operationName,
    fieldResolver
  })
  const errors = result.errors ?? []
  if (!("data" in result) && errors.length > 0) return variablesRefused(errors)
  const missing = errors.flatMap(({ originalError }) => (originalError instanceof Unimplemented ? [originalError] : []))
  for (const { subject } of missing) onUnimplemented(subject)
  const [unimplemented] = missing
  if (unimplemented !== undefined) return internal(unimplemented.message, "FAKE_UNIMPLEMENTED")
  const broken = errors.find((error) => error.originalError !== undefined && !(error.originalError instanceof Refusal))
  if (broken !== undefined) return internal(`The fake Linear failed: ${broken.message}`, "FAKE_FAILED")
  const data = jsonOf(result.data ?? null)
  if (errors.length === 0) return { status: 200, body: { data } }
  const rendering = errors.map((error) =>
    rendered(error, error.originalError instanceof Refusal ? error.originalError : fieldFailed(error.message))
  )
  const status = errors.map(({ originalError }) => (originalError instanceof Refusal ? originalError.status : 200))
  return { status: Math.max(200, ...status), body: { errors: rendering, data } }
}

const variablesRefused = (errors: ReadonlyArray<GraphQLError>): Answer => ({
  status: 400,
  body: {
    errors: errors.map((error) =>
      rendered(
        error,
        new Refusal({ message: error.message, code: "BAD_USER_INPUT", type: "invalid input", status: 400 })
      )
    )
  }
})

const fieldFailed = (message: string) =>
  new Refusal({ message, code: "INTERNAL_SERVER_ERROR", type: "internal error", status: 200 })

const internal = (message: string, code: string): Answer => ({
  status: 500,
  body: {
    errors: [rendered(new GraphQLError(message), new Refusal({ message, code, type: "internal error", status: 500 }))]
  }
})

/** An error as it stands in an answer. */
export const rendered = (error: GraphQLError, refusal: Refusal): JsonObject => ({
  message: refusal.message,
  ...(error.locations === undefined ? {} : { locations: jsonOf(error.locations) }),
  ...(error.path === undefined ? {} : { path: jsonOf(error.path) }),
  extensions: refusal.extensions
})

// What graphql answers is JSON, with objects that have no prototype.
const jsonOf = (value: unknown) => value as JsonObject

function fieldResolver(
  source: unknown,
  args: unknown,
  context: Omit<RequestContext, "field">,
  info: GraphQLResolveInfo
): unknown {
  const { fieldName, parentType, returnType } = info
  // The tables name the types that the schema says sources and arguments have.
  const resolve = resolvers[parentType.name]?.[fieldName] as
    | ((source: unknown, args: unknown, context: RequestContext) => unknown)
    | undefined satisfies Resolver | undefined
  const field = { name: fieldName, isRoot: parentType === info.schema.getQueryType() }
  if (resolve !== undefined) return resolve(source, args, { ...context, field })
  if (typeof source !== "object" || source === null || !(fieldName in source)) {
    throw new Unimplemented(`${parentType.name}.${fieldName}`)
  }
  const value: unknown = Reflect.get(source, fieldName)
  const isInstant = typeof value === "number" && getNamedType(returnType).name === "DateTime"
  return isInstant ? DateTime.formatIso(DateTime.makeUnsafe(value)) : value
}

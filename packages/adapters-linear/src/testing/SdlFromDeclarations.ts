/**
 * Rebuilds the GraphQL schema from the declarations that a code generator made from it. It knows the generator's
 * conventions (`Maybe`, `InputMaybe`, `Scalars`, `...Args`, enums, `__typename`), and nothing about Linear.
 *
 * What declarations do not keep is lost: descriptions, deprecations, default values, interfaces of interfaces.
 */
import { parse } from "@babel/parser"

// The parser's types of syntax, by way of what it returns.
type Statement = ReturnType<typeof parse>["program"]["body"][number]
type EnumDeclaration = Extract<Statement, { type: "TSEnumDeclaration" }>
type Type = Extract<Statement, { type: "TSTypeAliasDeclaration" }>["typeAnnotation"]
type TypeReference = Extract<Type, { type: "TSTypeReference" }>
type TypeLiteral = Extract<Type, { type: "TSTypeLiteral" }>
type Property = Extract<TypeLiteral["members"][number], { type: "TSPropertySignature" }>

type Members = ReadonlyArray<Property>

interface Declarations {
  /** Type aliases of object literals, with the names of what they are intersected with. */
  readonly records: ReadonlyMap<string, { readonly members: Members; readonly interfaces: ReadonlyArray<string> }>
  readonly unions: ReadonlyMap<string, ReadonlyArray<string>>
  readonly enums: ReadonlyMap<string, ReadonlyArray<string>>
  readonly scalars: ReadonlyArray<string>
}

const builtIn = new Set(["ID", "String", "Boolean", "Int", "Float"])
const wrappers = new Set(["Maybe", "InputMaybe"])

/** The schema in GraphQL's own language. The text is that of one declaration file; throws when a type makes no sense. */
export function sdlFromDeclarations(text: string): string {
  const declarations = read(text)
  const { enums, records, scalars, unions } = declarations
  const outputs = [...records].filter(([name, record]) => isObject(name, record.members))
  const argumentTypes = new Map(
    [...records]
      .filter(([name, record]) => name.endsWith("Args") && !isObject(name, record.members))
      .map(([name]) => [fold(name), name])
  )
  if (!outputs.some(([name]) => name === "Query")) {
    throw new Error("no type named Query in the declarations: they are not those of a GraphQL schema")
  }
  const interfaces = [...new Set(outputs.flatMap(([, record]) => record.interfaces))]
  const fieldsOf = (name: string) => [name, ...interfacesOf(name)].flatMap((one) => records.get(one)?.members ?? [])
  const interfacesOf = (name: string) => records.get(name)?.interfaces ?? []
  const field = (owner: string) => (member: Property) => {
    const args = records.get(argumentTypes.get(fold(`${owner}${nameOf(member)}Args`)) ?? "")?.members ?? []
    const list = args.length === 0 ? "" : `(${args.map(property).join(", ")})`
    return `${nameOf(member)}${list}: ${typeOf(member)}`
  }
  const withFields = (head: string, fields: ReadonlyArray<string>) => `${head} {\n  ${fields.join("\n  ")}\n}`
  const selectable = (name: string) => uniqueByName(fieldsOf(name)).map(field(name))

  const inputs = inputsFrom([...argumentTypes.values()], declarations)
  const objectTypes = outputs.map(([name, record]) =>
    withFields(
      `type ${name}${record.interfaces.length === 0 ? "" : ` implements ${record.interfaces.join(" & ")}`}`,
      selectable(name)
    )
  )
  return [
    ...scalars.filter((name) => !builtIn.has(name)).map((name) => `scalar ${name}`),
    ...[...enums].map(([name, values]) => withFields(`enum ${name}`, values)),
    ...interfaces.map((name) => withFields(`interface ${name}`, selectable(name))),
    ...objectTypes,
    ...[...unions]
      .filter(([, members]) => members.every((member) => outputs.some(([name]) => name === member)))
      .map(([name, members]) => `union ${name} = ${members.join(" | ")}`),
    ...inputs.map((name) => withFields(`input ${name}`, (records.get(name)?.members ?? []).map(property)))
  ].join("\n")
}

function read(text: string): Declarations {
  const program = parse(text, { sourceType: "module", plugins: [["typescript", { dts: true }]] }).program
  const records = new Map<string, { members: Members; interfaces: ReadonlyArray<string> }>()
  const unions = new Map<string, ReadonlyArray<string>>()
  const enums = new Map<string, ReadonlyArray<string>>()
  const scalars: Array<string> = []
  for (const statement of program.body) {
    if (statement.type === "TSEnumDeclaration") {
      enums.set(statement.id.name, enumValues(statement))
    } else if (statement.type === "TSTypeAliasDeclaration") {
      const { id, typeAnnotation } = statement
      const parts = typeAnnotation.type === "TSIntersectionType" ? typeAnnotation.types : [typeAnnotation]
      const literal = parts.find((part) => part.type === "TSTypeLiteral")
      if (id.name === "Scalars" && literal !== undefined) {
        scalars.push(...propertiesOf(literal).map(nameOf))
      } else if (literal !== undefined && statement.typeParameters == null) {
        const interfaces = parts.flatMap((part) => (part.type === "TSTypeReference" ? [referenced(part)] : []))
        records.set(id.name, { members: propertiesOf(literal), interfaces })
      } else if (typeAnnotation.type === "TSUnionType") {
        const members = typeAnnotation.types.filter((part) => part.type === "TSTypeReference")
        if (members.length === typeAnnotation.types.length) unions.set(id.name, members.map(referenced))
      }
    }
  }
  return { records, unions, enums, scalars }
}

/** The object types of the schema say their own name, and need not have it; those of results of documents must. */
const isObject = (name: string, members: Members): boolean =>
  members.some((member) => {
    const type = member.typeAnnotation?.typeAnnotation
    return (
      nameOf(member) === "__typename" &&
      member.optional === true &&
      type?.type === "TSLiteralType" &&
      type.literal.type === "StringLiteral" &&
      type.literal.value === name
    )
  })

/** Every record that arguments reach. */
function inputsFrom(argumentTypes: ReadonlyArray<string>, { records }: Declarations): ReadonlyArray<string> {
  const found = new Set<string>()
  const visit = (owner: string) => {
    for (const member of records.get(owner)?.members ?? []) {
      const name = typeOf(member).replaceAll(/[[\]!]/g, "")
      if (!found.has(name) && records.has(name)) {
        found.add(name)
        visit(name)
      }
    }
  }
  argumentTypes.forEach(visit)
  return [...found]
}

const enumValues = (statement: EnumDeclaration): ReadonlyArray<string> =>
  statement.body.members.flatMap(({ initializer }) =>
    initializer?.type === "StringLiteral" ? [initializer.value] : []
  )

const propertiesOf = (literal: TypeLiteral): Members =>
  literal.members.filter((member) => member.type === "TSPropertySignature")

const uniqueByName = (members: Members): Members => [
  ...new Map(members.filter((it) => nameOf(it) !== "__typename").map((it) => [nameOf(it), it])).values()
]

const nameOf = ({ key }: Property): string =>
  key.type === "Identifier" ? key.name : key.type === "StringLiteral" ? key.value : ""

const property = (member: Property): string => `${nameOf(member)}: ${typeOf(member)}`

const typeOf = (member: Property): string => {
  const type = member.typeAnnotation?.typeAnnotation
  if (type === undefined) throw new Error(`the declaration of ${nameOf(member)} has no type`)
  const written = graphqlType(type)
  // What may be left out has a default, whatever its type says.
  return member.optional === true && written.endsWith("!") ? written.slice(0, -1) : written
}

function graphqlType(type: Type): string {
  if (type.type === "TSIndexedAccessType") {
    const { indexType } = type
    if (indexType.type === "TSLiteralType" && indexType.literal.type === "StringLiteral") {
      return `${indexType.literal.value}!`
    }
  }
  if (type.type === "TSTypeReference") {
    const name = referenced(type)
    const [inner] = type.typeArguments?.params ?? []
    if (inner === undefined) return `${name}!`
    if (wrappers.has(name)) return graphqlType(inner).replace(/!$/, "")
    if (name === "Array") return `[${graphqlType(inner)}]!`
  }
  throw new Error(`a declaration of the kind ${type.type} is none that stands for a GraphQL type`)
}

const referenced = (type: TypeReference): string => (type.typeName.type === "Identifier" ? type.typeName.name : "")

/** The generator writes `attachmentLinkURL` of `Mutation` as `MutationAttachmentLinkUrlArgs`. */
const fold = (name: string): string => name.replaceAll("_", "").toLowerCase()

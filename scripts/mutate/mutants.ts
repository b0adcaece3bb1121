import ts from "typescript5";

/** One made-up fault: what stands from `start` to `end` of the file becomes `text`. */
export interface Mutant {
  readonly path: string;
  readonly line: number;
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** What was and what is, in one line. */
  readonly change: string;
}

const { SyntaxKind } = ts;

/** What an operator becomes. */
const OPERATORS = new Map<ts.SyntaxKind, string>([
  [SyntaxKind.LessThanToken, "<="],
  [SyntaxKind.LessThanEqualsToken, "<"],
  [SyntaxKind.GreaterThanToken, ">="],
  [SyntaxKind.GreaterThanEqualsToken, ">"],
  [SyntaxKind.EqualsEqualsEqualsToken, "!=="],
  [SyntaxKind.ExclamationEqualsEqualsToken, "==="],
  [SyntaxKind.AmpersandAmpersandToken, "||"],
  [SyntaxKind.BarBarToken, "&&"],
  [SyntaxKind.PlusToken, "-"],
  [SyntaxKind.MinusToken, "+"],
  [SyntaxKind.AsteriskToken, "/"],
  [SyntaxKind.SlashToken, "*"],
  [SyntaxKind.PlusEqualsToken, "-="],
  [SyntaxKind.MinusEqualsToken, "+="],
]);

/** All faults that `source` can be given: each operator, condition, number, boolean and statement in turn. */
export function mutantsOf(path: string, source: string): Mutant[] {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true);
  const found: Mutant[] = [];
  visit(file);
  return found;

  function visit(node: ts.Node): void {
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return;
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    const condition = conditionOf(node);
    if (condition !== null) add(condition, `!(${condition.getText(file)})`);
    if (ts.isBinaryExpression(node)) swapOperator(node);
    else if (ts.isNumericLiteral(node)) add(node, otherNumber(node));
    else if (node.kind === SyntaxKind.TrueKeyword) add(node, "false");
    else if (node.kind === SyntaxKind.FalseKeyword) add(node, "true");
    else if (ts.isExpressionStatement(node)) add(node, ";");
    ts.forEachChild(node, visit);
  }

  function swapOperator({ left, operatorToken, right }: ts.BinaryExpression): void {
    const other = OPERATORS.get(operatorToken.kind);
    const joinsTexts = operatorToken.kind === SyntaxKind.PlusToken && (isText(left) || isText(right));
    if (other !== undefined && !joinsTexts) add(operatorToken, other, left.getStart(file), right.end);
  }

  function add(node: ts.Node, text: string, from = node.getStart(file), to = node.end): void {
    const start = node.getStart(file);
    const was = source.slice(from, to);
    const is = source.slice(from, start) + text + source.slice(node.end, to);
    const line = file.getLineAndCharacterOfPosition(start).line + 1;
    found.push({ path, line, start, end: node.end, text, change: `${inOneLine(was)}  →  ${inOneLine(is)}` });
  }
}

function conditionOf(node: ts.Node): ts.Expression | null {
  if (ts.isIfStatement(node) || ts.isWhileStatement(node) || ts.isDoStatement(node)) return node.expression;
  if (ts.isConditionalExpression(node)) return node.condition;
  return ts.isForStatement(node) ? node.condition ?? null : null;
}

function isText(node: ts.Node): boolean {
  return ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);
}

function otherNumber(node: ts.NumericLiteral): string {
  const value = Number(node.text);
  return value === 0 ? "1" : String(value * 2);
}

function inOneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}

export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6D2B79F5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` of `all`, each as likely as the next, in their order. */
export function sampleOf<Item>(all: readonly Item[], count: number, random: () => number): Item[] {
  const rest = all.map((item, at) => ({ item, at, draw: random() }));
  rest.sort((a, b) => a.draw - b.draw);
  return rest.slice(0, count).sort((a, b) => a.at - b.at).map(({ item }) => item);
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/*
 * The programs of READMEs, docs and examples, type-checked as somebody's who pastes them: under `strict`, with the types of
 * the packages, and without a word that silences the compiler.
 */

const ROOT = join(import.meta.dirname, '..', '..');

/** A program in JavaScript or TypeScript. */
interface Program {
  /** The path it would have as a file, from the root. The file need not exist. */
  readonly file: string;
  readonly text: string;
  /** Its path, for messages. */
  readonly where: string;
}

/** The programs of all pages and examples. */
export function readPrograms(root = ROOT): Program[] {
  const under = (folder: string, pattern: RegExp) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => pattern.test(file) && !file.includes('node_modules'))
      .map((file) => join(folder, file))
      .sort();
  const pages = [
    'README.md',
    ...under('docs', /\.md$/),
    ...under('packages', /^[^/]+\/README\.md$/),
    ...under('examples', /\.md$/),
  ];
  const examples = under('examples', /(?<!\.test)\.[jt]s$/).map((file) => ({
    file,
    where: file,
    text: readFileSync(join(root, file), 'utf8'),
  }));
  return [...pages.flatMap((page) => programsOf(page, readFileSync(join(root, page), 'utf8'))), ...examples];
}

/** The fenced blocks of a page that are programs. */
export function programsOf(page: string, markdown: string): Program[] {
  return [...markdown.matchAll(/^```(js|ts)\n(.*?)^```/gms)].map(({ 1: language, 2: text = '', index }) => {
    const line = markdown.slice(0, index).split('\n').length + 1;
    return { file: page.replace(/[^/]*$/, `line-${line}.${language}`), text, where: `${page}:${line}` };
  });
}

/** What is wrong with the programs: `README.md:12: …`. */
export function check(programs: readonly Program[], root = ROOT): string[] {
  const files = new Map(programs.map((program) => [join(root, program.file), program]));
  const options = optionsOf(root);
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (file) => files.has(file) || fileExists(file);
  host.readFile = (file) => files.get(file)?.text ?? readFile(file);
  host.getSourceFile = (file, ...rest) => {
    const text = files.get(file)?.text;
    return text === undefined ? getSourceFile(file, ...rest) : ts.createSourceFile(file, text, rest[0], true);
  };
  const compiled = ts.createProgram([...files.keys()], options, host);
  return [...files].flatMap(([file, { where }]) => {
    const source = compiled.getSourceFile(file);
    if (source === undefined) return [`${where}: cannot be read`];
    const said = [...compiled.getSyntacticDiagnostics(source), ...compiled.getSemanticDiagnostics(source)];
    return [
      ...said.map((one) => {
        const { line } = source.getLineAndCharacterOfPosition(one.start ?? 0);
        return `${where}: line ${line + 1}: ${ts.flattenDiagnosticMessageText(one.messageText, ' ')}`;
      }),
      ...silencersOf(source).map((one) => `${where}: ${one}`),
    ];
  });
}

function optionsOf(root: string): ts.CompilerOptions {
  const file = join(root, 'tsconfig.json');
  const { config } = ts.readConfigFile(file, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, root);
  // Options that a user's program need not have set.
  const { exactOptionalPropertyTypes: _, noUncheckedIndexedAccess: __, ...rest } = options;
  return { ...rest, strict: true, allowJs: true, checkJs: true, noEmit: true, types: ['node'] };
}

/** Finds casts and the like, which silence the compiler. */
function silencersOf(source: ts.SourceFile): string[] {
  const found: string[] = [];
  if (/@ts-(?:ignore|expect-error|nocheck)/.test(source.text)) found.push('silences the compiler');
  const visit = (node: ts.Node) => {
    const isCast =
      ts.isNonNullExpression(node) ||
      (ts.isAsExpression(node) && node.type.getText(source) !== 'const') ||
      (ts.isParenthesizedExpression(node) && ts.getJSDocType(node) !== undefined);
    if (isCast) found.push(`needs a cast: ${node.getText(source)}`);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

import { type Answer, CODES, type Code, EXIT, isCode, slugOf } from './codes.ts';

/** The content of `docs/problems.md`, which problem types link to. */
export function problemsPage(): string {
  const codes = Object.keys(CODES).filter(isCode);
  const told = codes.filter((code) => CODES[code].edge !== undefined || CODES[code].admin !== undefined);
  const slugs = [...new Set(told.map(slugOf))].sort();
  return `# Problems

<!-- Made of the table in packages/model/src/codes.ts; \`vitest -u\` writes it anew. -->

What cLess itself answers when something fails is \`application/problem+json\` (RFC 9457), and its \`type\` leads here.
*Client* is whoever asks a service; *admin* is whoever asks the admin API, like \`cless\`. Programs go by the \`type\` (or
the code, where they catch an error), never by the text.

${slugs.map((slug) => section(slug, told)).join('\n\n')}

## Failures that nobody is answered with

Of a process at its start, of the command line, or between the processes of one proxy. The proxy ends with the exit code
that stands here, and with 1 for everything else.

| code | exit code of the proxy | of \`cless\` | what it means |
| --- | --- | --- | --- |
${codes
  .filter((code) => !told.includes(code))
  .map((code) => {
    const { proxyExit = '', cliExit = '', means } = CODES[code];
    return `| \`${code}\` | ${proxyExit} | ${cliExit} | ${means} |`;
  })
  .join('\n')}
`;
}

function section(slug: string, told: readonly Code[]): string {
  const codes = told.filter((code) => slugOf(code) === slug);
  const rows = codes.flatMap((code) => {
    const { title, edge, admin, cliExit = EXIT.failed } = CODES[code];
    return [
      ...(edge === undefined ? [] : [row(code, title, 'client', edge, '')]),
      ...(admin === undefined ? [] : [row(code, title, 'admin', admin, String(cliExit))]),
    ];
  });
  const texts = codes.map((code) => (codes.length > 1 ? `\`${code}\`: ` : '') + CODES[code].means);
  return `## ${slug}

${texts.join('\n\n')}

| code | title | told to | status | Retry-After | exit code of \`cless\` |
| --- | --- | --- | --- | --- | --- |
${rows.join('\n')}`;
}

function row(code: Code, title: string, whom: string, { status, retryAfter }: Answer, exit: string): string {
  return `| \`${code}\` | ${title} | ${whom} | ${status} | ${retryAfter ?? ''} | ${exit} |`;
}

import { LABELLED_OPTIONS } from './labels.ts';
import { PLACED_OPTIONS, type PlacedOption } from './placed.ts';

/** The content of `docs/options.md`. */
export function optionsPage(): string {
  return `# Options of a revision

<!-- Made of the table in packages/model/src/revision/options.ts; \`vitest -u\` writes it anew. -->

What a revision is made from: as \`cless.yaml\` and the admin API have it, as \`cless deploy\` takes it, and as an image
says it of itself by a label, for its service by convention. What nobody says is as the installation's settings have it.

| \`cless.yaml\`, API | \`cless deploy\` | image label | |
| --- | --- | --- | --- |
${PLACED_OPTIONS.flatMap(rows).join('\n')}
`;
}

function rows({ option, name, at }: PlacedOption): string[] {
  const field = at.join('.');
  const label = LABELLED_OPTIONS.find((one) => one.option === option)?.label;
  const switches = option.kind === 'choice' ? Object.entries(option.switches ?? {}) : [];
  return [
    ...(option.takes === undefined ? [] : [row(field, `--${name} <${option.takes}>`, label, option.help)]),
    ...switches.map(([value, { name: flag, help }]) => row(`${field}: ${value}`, `--${flag}`, label, help)),
  ];
}

function row(field: string, flag: string, label: string | undefined, help = ''): string {
  return `| \`${field}\` | \`${flag}\` | ${label === undefined ? '' : `\`${label}\``} | ${help} |`;
}

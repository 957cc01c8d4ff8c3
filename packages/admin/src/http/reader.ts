import { html, raw } from 'hono/html';

/*
 * A page to read the OpenAPI document. It has no scripts: a page that can use the token must not run anybody's code.
 */

interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly {
    name: string;
    in: string;
    description?: string;
    required?: boolean;
    schema?: unknown;
  }[];
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: unknown }>> };
  readonly responses?: Readonly<Record<string, { readonly description?: string }>>;
}

interface Document {
  readonly info: {
    readonly title: string;
    readonly version: string;
    readonly description?: string | undefined;
  };
  readonly paths?: object | undefined;
  readonly components?: { readonly schemas?: object | undefined } | undefined;
}

export function readerPage(document: Document) {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries<Operation>(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  return html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${document.info.title}</title>
<style>
  :root { color-scheme: light dark }
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem }
  h2 { font-size: 1.1rem; margin-top: 2.5rem; font-family: ui-monospace, monospace }
  pre { overflow-x: auto; padding: .75rem; background: #8881; border-radius: .3rem; font-size: .85rem }
  td { padding: .1rem 1rem .1rem 0; vertical-align: top }
  code { font-size: .9rem }
</style>
<h1>${document.info.title} <small>${document.info.version}</small></h1>
<p>${document.info.description ?? ''} <a href="/openapi.json">openapi.json</a></p>
${operations.map(({ path, method, operation }) => operationSection(path, method, operation))}
<h1>Schemas</h1>
${Object.entries(document.components?.schemas ?? {}).map(
  ([name, schema]) => html`<h2 id="${name}">${name}</h2>${schemaBlock(schema)}`,
)}
</html>
`;
}

function operationSection(path: string, method: string, operation: Operation) {
  const body = operation.requestBody?.content?.['application/json']?.schema;
  return html`
<h2>${method.toUpperCase()} ${path}</h2>
<p>${operation.summary ?? ''} ${operation.description ?? ''}</p>
${
  (operation.parameters ?? []).length === 0
    ? ''
    : html`<table>${(operation.parameters ?? []).map(
        (parameter) =>
          html`<tr><td><code>${parameter.name}</code><td>${parameter.in}${parameter.required ? ', required' : ''}<td>${parameter.description ?? ''}`,
      )}</table>`
}
${body === undefined ? '' : html`<p>Body:</p>${schemaBlock(body)}`}
<table>${Object.entries(operation.responses ?? {}).map(
    ([status, { description }]) => html`<tr><td><code>${status}</code><td>${description ?? ''}`,
  )}</table>`;
}

/** A schema as JSON, with links to the schemas it refers to. */
function schemaBlock(schema: unknown) {
  const text = JSON.stringify(schema, null, 2).replace(
    /[&<>]/g,
    (character) => `&#${character.charCodeAt(0)};`,
  );
  const linked = text.replace(/"#\/components\/schemas\/(\w+)"/g, '<a href="#$1">"$1"</a>');
  return html`<pre>${raw(linked)}</pre>`;
}

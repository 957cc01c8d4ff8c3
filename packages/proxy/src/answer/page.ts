/** The content of a small page for people. */
interface Page {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
}

export function page({ title, status, detail }: Page, requestId: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${status} ${escapeHtml(title)}</title>
<style>
  :root { color-scheme: light dark }
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 15vh auto; padding: 0 1rem }
  small { opacity: .6 }
</style>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(detail)}</p>
<p><small>${status} · request ${escapeHtml(requestId)}</small></p>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Does the client prefer HTML to JSON (RFC 9110 §12.5.1)? */
export function prefersHtml(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  const quality = (types: readonly string[]) => {
    let best = 0;
    for (const range of accept.toLowerCase().split(',')) {
      const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
      if (!types.includes(type)) continue;
      const q = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1);
      best = Math.max(best, Number.isNaN(q) ? 0 : q);
    }
    return best;
  };
  const html = quality(['text/html', 'application/xhtml+xml']);
  return html > 0 && html >= quality(['application/problem+json', 'application/json']);
}

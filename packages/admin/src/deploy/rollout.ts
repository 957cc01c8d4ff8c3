import { Failure, type RevisionSpec, type Traffic } from '@cless/model';

/**
 * Refuses traffic in which revisions that replace each other would serve side by side.
 *
 * @param rolloutOf the rollout of a revision, by name
 * @throws with code `ROLLOUT_REPLACES`, if the traffic would have it so
 */
export function checkRollout(
  { splits, tags }: Traffic,
  rolloutOf: (revision: string) => RevisionSpec['rollout'],
): void {
  const serving = [
    ...splits.map(({ revision }, i) => ({ revision, pointer: `#/splits/${i}/revision` })),
    ...Object.entries(tags).map(([tag, revision]) => ({ revision, pointer: `#/tags/${tag}` })),
  ].filter(({ revision }) => rolloutOf(revision) === 'replace');
  const names = [...new Set(serving.map(({ revision }) => revision))];
  const [first] = names;
  if (names.length < 2) return;
  const detail =
    `${names.join(' and ')} cannot serve side by side: each replaces the other, as they write the same volumes; ` +
    'give one of them all the traffic and the tags, or deploy with the rollout overlap if they may write them together';
  throw new Failure('ROLLOUT_REPLACES', detail, {
    errors: serving.filter(({ revision }) => revision !== first).map(({ pointer }) => ({ pointer, detail })),
  });
}

/*
 * References to images, by the grammar of https://github.com/distribution/reference, as the Docker Engine applies it,
 * and the ids of images. What is none the engine answers with a redirect or an error, not with "there is none".
 */

const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const DOMAIN_COMPONENT = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
/** With a dot or a port, or the engine takes it for the first part of the path. */
const DOMAIN = [
  `${DOMAIN_COMPONENT}(?:\\.${DOMAIN_COMPONENT})+(?::[0-9]+)?`,
  `${DOMAIN_COMPONENT}:[0-9]+`,
  '\\[[a-fA-F0-9:]+\\](?::[0-9]+)?',
  'localhost',
].join('|');
const NAME = `(?:(?:${DOMAIN})/)?${COMPONENT}(?:/${COMPONENT})*`;
const TAG = '[\\w][\\w.-]{0,127}';
const DIGEST = '(?:sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})';

/** `[DOMAIN[:PORT]/]PATH[:TAG][@DIGEST]` or an id. A name has 255 characters at most, with the
 * `docker.io/library/` that the engine may put before it. */
export const IMAGE_REFERENCE = new RegExp(
  `^(?:sha256:[a-f0-9]{64}|(?![^:@]{238})${NAME}(?::${TAG})?(?:@${DIGEST})?)$`,
);

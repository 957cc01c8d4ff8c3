/*
 * References to images, by the grammar of https://github.com/distribution/reference as the Docker Engine applies it,
 * and ids of images. Checked here because the engine answers anything else with a redirect or an unrelated error.
 */

const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const DOMAIN_COMPONENT = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
/** A domain has a dot or a port; otherwise the engine takes it for the first part of the path. */
const DOMAIN = [
  `${DOMAIN_COMPONENT}(?:\\.${DOMAIN_COMPONENT})+(?::[0-9]+)?`,
  `${DOMAIN_COMPONENT}:[0-9]+`,
  '\\[[a-fA-F0-9:]+\\](?::[0-9]+)?',
  'localhost',
].join('|');
const NAME = `(?:(?:${DOMAIN})/)?${COMPONENT}(?:/${COMPONENT})*`;
const TAG = '[\\w][\\w.-]{0,127}';
const DIGEST = '(?:sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})';

/**
 * `[DOMAIN[:PORT]/]PATH[:TAG][@DIGEST]`, or an id. A name has at most 255 characters, including the
 * `docker.io/library/` that the engine may prepend.
 */
export const IMAGE_REFERENCE = new RegExp(
  `^(?:sha256:[a-f0-9]{64}|(?![^:@]{238})${NAME}(?::${TAG})?(?:@${DIGEST})?)$`,
);

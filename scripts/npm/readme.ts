/** The README of the npm package, which is read where the repository's other files are not. */

const LINK = /(!?)\[([^\]]*)\]\(([^)]+)\)/g;

/**
 * Has its relative links lead to `repository`, an address such as https://github.com/someone/brokkr. While that is unknown they become
 * text, and pictures go, since the registry's page would show them broken.
 *
 * @param version whose tag holds what is linked.
 */
export function packageReadme(readme: string, repository: string | null, version: string): string {
  return readme.replaceAll(LINK, (whole, picture: string, text: string, target: string) => {
    if (/^(https?:|#)/.test(target)) return whole;
    if (repository === null) return picture === "" ? text : "";
    return `${picture}[${text}](${repository}/${picture === "" ? "blob" : "raw"}/v${version}/${
      target.replace(/^\.\//, "")
    })`;
  });
}

/** What a variable of one segment, and a star alone, stand for (uri_template_internal.cc). */
const SEGMENT = "[a-zA-Z0-9\\-._~%!$&'()*+,;:@=]+";
/** What is left of the path. */
const REST = "[a-zA-Z0-9\\-._~%!$&'()*+,;:@=/]*";

/** An expression for a path template such as `/a/{name}/*` or `/a/**`; undefined for what is none. */
export function templateExpression(template: string): string | undefined {
  if (!template.startsWith("/")) return undefined;
  const parts: string[] = [];
  for (const piece of template.matchAll(/\{[A-Za-z_]\w*(?:=([^{}]*))?\}|\*\*|\*|[^{}*]+|./g)) {
    const [whole, inner] = piece;
    if (whole === "**") parts.push(REST);
    else if (whole === "*" || (whole.startsWith("{") && whole.length > 1 && (inner === undefined || inner === "*"))) parts.push(SEGMENT);
    else if (whole.startsWith("{") && inner === "**") parts.push(REST);
    else if (/^[{}*]/.test(whole)) return undefined;
    else parts.push(whole.replaceAll(/[.*+?()[\]{}|\\^$]/g, String.raw`\$&`));
  }
  return parts.join("");
}

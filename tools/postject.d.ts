/** The one function of postject that is used; it comes without types. */
declare module "postject" {
  export function inject(file: string, section: string, bytes: Uint8Array, options: { readonly sentinelFuse: string; readonly machoSegmentName?: string }): Promise<void>;
}

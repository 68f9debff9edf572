import type { Locator } from "@playwright/test";
import jsQR from "jsqr";

/** What a camera would read in a picture on the page. */
export async function readCode(picture: Locator): Promise<string> {
  const { data, side } = await picture.evaluate(async (img: HTMLImageElement) => {
    await img.decode();
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 512;
    const pen = canvas.getContext("2d");
    pen?.drawImage(img, 0, 0, 512, 512);
    return { data: [...(pen?.getImageData(0, 0, 512, 512).data ?? [])], side: 512 };
  });
  return jsQR(Uint8ClampedArray.from(data), side, side)?.data ?? "";
}

import { randomBytes } from "node:crypto";
import { deflateSync } from "node:zlib";

export type Picture = { name: string; mimeType: string; buffer: Buffer };

/** A PNG of 160 by 120 in one colour: enough of a photo for a form. */
export function picture(red = 200, green = 120, blue = 60): Picture {
  const row = Buffer.alloc(1 + 160 * 3);
  for (let x = 0; x < 160; x += 1) row.set([red, green, (blue + x) % 256], 1 + x * 3);
  return png(160, 120, Buffer.concat(Array.from({ length: 120 }, () => row)), 6);
}

/** A PNG of noise, which no packing makes smaller: three bytes for each pixel. */
export function heavyPicture(width: number, height: number): Picture {
  const pixels = randomBytes(height * (1 + width * 3));
  for (let y = 0; y < height; y += 1) pixels[y * (1 + width * 3)] = 0;
  return png(width, height, pixels, 0);
}

function png(width: number, height: number, pixels: Buffer, level: number): Picture {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const buffer = Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", deflateSync(pixels, { level })), chunk("IEND", Buffer.alloc(0))]);
  return { name: "fault.png", mimeType: "image/png", buffer };
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(data.length, 0);
  body.copy(whole, 4);
  whole.writeUInt32BE(crc(body), body.length + 4);
  return whole;
}

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

function crc(data: Buffer): number {
  let value = 0xffffffff;
  for (const byte of data) value = CRC[(value ^ byte) & 0xff] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

"""`backproof data`: fetch MNIST into the cache, or check the files that are there."""

import sys

import typer

from backproof.comparisons.commands import options


def register(app: typer.Typer) -> None:
    app.command("data", short_help="Fetch MNIST, or check its files.")(data)


def data(
    data: options.Data = "mnist",
    data_dir: options.DataDir = None,
) -> int:
    """Fetch MNIST, or check the files that are there.

    Checked are magic numbers, sizes, label range and the checksums of the unpacked bytes.
    """
    from backproof.comparisons.data.dataset import load

    dataset = load(data, data_dir, say=lambda message: print(message, file=sys.stderr, flush=True))
    rows, columns = dataset.image_shape
    print(dataset.source)
    print(f"training  {len(dataset.train_images):6d} images of {rows} x {columns}")
    print(f"test      {len(dataset.test_images):6d} images")
    print(f"sha256    {dataset.sha256}")
    return 0

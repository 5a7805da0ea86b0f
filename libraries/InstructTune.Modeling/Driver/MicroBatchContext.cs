using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;

namespace InstructTune.Modeling.Driver;

/// <summary>What all layers of a micro-batch share.</summary>
internal sealed record MicroBatchContext(
    LlamaConfig Config, BatchPlaces Places, Arena Arena, Gradients Gradients, LayerScratch Scratch, LoraAdapter? Adapter, RowSeeds? Dropout,
    Action<DriverWork>? Working);

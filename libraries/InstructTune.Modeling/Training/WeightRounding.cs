namespace InstructTune.Modeling.Training;

/// <summary>
/// How trained weights are kept on the bfloat16 grid. Values are those of bfloat16, and what is computed of them; they are stored and multiplied in float32, so
/// this saves no memory where the device is a CPU: it makes a run repeat what another device does to its weights.
/// </summary>
public enum WeightRounding
{
    /// <summary>float32.</summary>
    None,

    /// <summary>The optimizer updates float32 masters; what the model computes with is their nearest bfloat16.</summary>
    Masters,

    /// <summary>There are no masters: the optimizer updates bfloat16 weights in float32, and each result is rounded stochastically.</summary>
    Stochastic,
}

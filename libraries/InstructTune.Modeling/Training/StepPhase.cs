namespace InstructTune.Modeling.Training;

/// <summary>Parts of an optimizer step, for measurements.</summary>
public enum StepPhase
{
    /// <summary>Batches are made; the time between the others.</summary>
    Other,

    /// <summary>From tokens to the last hidden states.</summary>
    Forward,

    /// <summary>The output head and the loss with their gradients, and the way back through the layers.</summary>
    Backward,

    /// <summary>Norm, clipping and the update of the weights.</summary>
    Update,
}
